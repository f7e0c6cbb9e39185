import { createHash } from 'node:crypto';
import { OutboundError } from '@rentapi/platform/outbound';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { membershipsOf } from '../../members/service/find.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import type { UserModel } from '../../users/model.ts';
import { refusalOf, type Surroundings } from '../password-policy.ts';

export type Person = Pick<Surroundings, 'email' | 'names'>;

/** The hash of a password; throws `invalid_input` for one that guessers try first. */
export async function hashNewPassword(ctx: Context, field: string, password: string, person: Person): Promise<string> {
  const hosts = [new URL(ctx.ports.env.PUBLIC_URL).hostname];
  const refusal =
    (await refusalOf(password, { hosts, ...person })) ??
    ((await isBreached(ctx, password)) ? 'is in a list of stolen passwords: choose another' : null);
  if (refusal) throw new ApiError('invalid_input', { errors: [{ path: field, message: refusal }] });
  return ctx.ports.passwords.hash(password);
}

/** What a password of this user must not be. */
export async function personOf(ctx: Context, { id, email, username, fullName }: UserModel): Promise<Person> {
  const joined = (await membershipsOf(ctx, id)).map(({ organizationId }) => organizationId);
  const organizations = await OrganizationModel.query(ctx.db).findByIds(joined);
  return { email, names: [username, fullName, ...organizations.flatMap(({ name, slug }) => [name, slug])] };
}

const PREFIX_CHARACTERS = 5;

/**
 * Asks a list of stolen passwords by the first five of 40 characters of the SHA-1, so that the list learns neither the
 * password nor its hash. A list that does not answer must not keep people from changing a password.
 */
async function isBreached(ctx: Context, password: string): Promise<boolean> {
  const { BREACH_LIST_URL: list } = ctx.ports.env;
  if (!list) return false;
  const hash = createHash('sha1').update(password.normalize('NFKC')).digest('hex').toUpperCase();
  try {
    const url = `${list}/${hash.slice(0, PREFIX_CHARACTERS)}`;
    const { status, body } = await ctx.ports.outbound.send({
      url,
      method: 'GET',
      headers: { 'Add-Padding': 'true' },
      timeoutMs: 3000,
    });
    if (status !== 200) ctx.ports.log.warn({ status }, 'the list of stolen passwords does not answer');
    return status === 200 && isListed(body, hash.slice(PREFIX_CHARACTERS));
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    ctx.ports.log.warn({ err: error }, 'the list of stolen passwords does not answer');
    return false;
  }
}

/** One line for each hash: `<the rest>:<how often>`; invented lines, which hide the length, have 0. */
function isListed(body: string, rest: string): boolean {
  return body.split(/\r?\n/).some((line) => line.startsWith(`${rest}:`) && line.slice(rest.length + 1) !== '0');
}
