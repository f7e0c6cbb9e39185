/** The numbers of our advisory locks: any will do that differ, never change, and that no other program uses. */
export const ADVISORY_LOCKS = {
  embeddedServer: 7_301_446,
  migrations: 7_301_447,
  sequencer: 7_301_448,
  preparation: 7_301_449,
  superAdmins: 7_301_450,
  usage: 7_301_451,
};
