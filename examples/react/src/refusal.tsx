import { isRentApiError } from '@rentapi/contract';
import { RentApiError } from '@rentapi/sdk';

/** Why a query, a mutation or a login failed. */
export function Refusal({ error }: { error: unknown }) {
  if (!error) return null;
  const problem = problemOf(error);
  if (!problem) return <p role="alert">No answer came from the server. Try again.</p>;
  return (
    <p role="alert">
      <code>{problem.code}</code> {problem.detail}
      {problem.errors?.map(({ path, message }) => (
        <span key={path}>
          {' '}
          <code>{path}</code> {message}.
        </span>
      ))}
    </p>
  );
}

function problemOf(error: unknown) {
  if (isRentApiError(error)) return error.data.problem; // of tRPC
  if (error instanceof RentApiError) return error.problem; // of the SDK
  return null;
}
