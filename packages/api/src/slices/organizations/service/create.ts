import { randomInt } from 'node:crypto';
import type { Context, UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { presentWithEtag } from '../../../contract/etag.ts';
import { nameFrom } from '../../../contract/names.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { addMember } from '../../members/service/add.ts';
import { lockMe } from '../../users/staff.ts';
import { OrganizationCreated } from '../events.ts';
import { OrganizationModel } from '../model.ts';
import { type CreateOrganization, MAX_NAME, type Organization } from '../schemas.ts';
import { claimName, isFree, lockNames } from './claim-names.ts';

/**
 * Every user has one, so that keys, usage and billing always belong to an organization. It has no slug, because that
 * would publish the user's name.
 */
export async function createPersonalOrganization(ctx: Context, name: string): Promise<OrganizationModel> {
  return OrganizationModel.query(ctx.db)
    .insert({
      name: cutName(name),
      personal: true,
      plan: ctx.ports.env.DEFAULT_PLAN,
      createdAt: ctx.now,
      updatedAt: ctx.now,
    })
    .returning('*');
}

/** An address may be longer than a name. Half of a surrogate pair is not a character, so it is removed, too. */
function cutName(text: string): string {
  return text.slice(0, MAX_NAME).replace(/\p{Surrogate}$/u, '');
}

export async function createOrganization(ctx: UserContext, input: CreateOrganization): Promise<Organization> {
  return transaction(ctx, async (ctx) => {
    await lockMe(ctx);
    await lockNames(ctx);
    const slug = input.slug ?? (await inventSlug(ctx, input.name));
    const subdomain = input.subdomain ?? slug;
    await claimName(ctx, 'slug', slug);
    await claimName(ctx, 'subdomain', subdomain);
    const organization = await OrganizationModel.query(ctx.db)
      .insert({
        name: input.name,
        slug,
        subdomain,
        plan: ctx.ports.env.DEFAULT_PLAN,
        metadata: input.metadata ?? {},
        createdAt: ctx.now,
        updatedAt: ctx.now,
      })
      .returning('*');
    await addMember(ctx, organization, ctx.actor.user.id, 'OWNER');
    await record(ctx, OrganizationCreated, {
      target: organization,
      after: organization,
      data: organization.present(ctx.ids),
      organizationId: organization.id,
    });
    return presentWithEtag(ctx, organization);
  });
}

/** Made from the name; with four digits where the name is taken. */
async function inventSlug(ctx: Context, name: string): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const slug = nameFrom(name, attempt === 0 ? '' : String(randomInt(1000, 10_000)));
    if (slug && (await isFree(ctx, 'slug', slug)) && (await isFree(ctx, 'subdomain', slug))) return slug;
  }
  throw new ApiError('slug_taken', { detail: 'No slug could be made from this name: give one.' });
}
