import pg from 'pg';

/** The comments of statements that read rows of several organizations on purpose, or that name no organization. */
const EXEMPTION = '/* across organizations */';

/** The marker in the error of a statement that was caught. */
export const TRIPPED = 'tenant tripwire';

/**
 * Row-level security on every table with an `organization_id`. It does not hide rows: it raises an error when a
 * statement reads a row without comparing an organization, or rows of two organizations. So a query that forgets its
 * tenant fails in any test that runs it, even where only one tenant has rows.
 */
const TRIPWIRE = `
  create function tenant_tripwire(rows_of text, organization_id bigint) returns boolean language plpgsql as $$
  declare
    statement constant text := current_query();
    words constant text := replace(statement, '"', '');
    -- One connection's statements begin one after the other.
    began constant text := statement_timestamp()::text;
    seen constant text[] := string_to_array(current_setting('tenant_tripwire.seen', true), '|');
  begin
    if strpos(statement, '${EXEMPTION}') > 0 then
      return true;
    end if;
    -- A value, not another table's column: that would be whatever organization the other row has.
    if words !~* '\\morganization_id *(= *(any *\\()?|in *\\() *[$0-9]|\\morganization_id is null'
       and words !~* 'insert into \\w+ *\\([^)]*\\morganization_id\\M' then
      raise exception '${TRIPPED}: a statement is shown rows of % and compares no organization: %', rows_of, statement
        using hint = 'Begin with Model.of(ctx), or name organization_id. What is meant for all says ${EXEMPTION}.';
    end if;
    if seen[1] = began and seen[2] <> organization_id::text then
      raise exception '${TRIPPED}: a statement is shown rows of two organizations, at last of %: %', rows_of, statement
        using hint = 'Compare organization_id in each table. What is meant for all says ${EXEMPTION}.';
    end if;
    perform set_config('tenant_tripwire.seen', began || '|' || organization_id, false) where organization_id is not null;
    return true;
  end $$;

  do $$
  declare
    rows_of text;
  begin
    for rows_of in select table_name from information_schema.columns
      where table_schema = 'public' and column_name = 'organization_id'
    loop
      execute format('alter table %I enable row level security, force row level security', rows_of);
      execute format(
        'create policy tripwire on %I using (tenant_tripwire(%L, organization_id)) with check (true)', rows_of, rows_of);
    end loop;
  end $$;
`;

/**
 * Once, in the migrated template that every test's database is cloned from. The tests' role owns nothing, so it is
 * subject to it.
 */
export async function armTripwire(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(TRIPWIRE);
  } finally {
    await client.end();
  }
}
