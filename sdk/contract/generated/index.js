export function isRentApiError(error) {
    if (!(error instanceof Error) || !('data' in error))
        return false;
    const { data } = error;
    if (typeof data !== 'object' || data === null || !('problem' in data))
        return false;
    const { problem } = data;
    return typeof problem === 'object' && problem !== null && 'code' in problem && 'requestId' in problem;
}
