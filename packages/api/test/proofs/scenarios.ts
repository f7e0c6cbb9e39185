import { type Fixture, idsIn, type Procedure, replaceAt } from './fixture.ts';
import { ownedIds } from './owned-ids.ts';
import { type Failing, type Scenario, sliceProofs } from './slice-proofs.ts';

const special: Record<string, Failing> = Object.assign({}, ...sliceProofs.map(({ scenarios }) => scenarios));

/** The procedures whose scenario a slice provides. */
export const SPECIAL_PROCEDURES = Object.keys(special);

/** A call that succeeds: the example's, by an owner with every permission, on rows that exist. */
export async function scenario(fixture: Fixture, { name, meta }: Procedure): Promise<Scenario> {
  const made = special[name];
  if (made) return made(fixture);
  const places = idsIn(meta.example.input);
  const ours = await ownedIds(
    fixture,
    places.map(({ prefix }) => prefix),
  );
  const input = places.reduce<unknown>(
    (value, { path, prefix }) => replaceAt(value, path, ours[prefix]),
    meta.example.input,
  );
  return { caller: fixture.inOrganization('OWNER'), input };
}
