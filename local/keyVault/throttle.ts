const WINDOW_MS = 10_000;

/** Counts the accepted requests of the last ten seconds; returns the seconds to wait if the limit is reached. */
export function createThrottle(limit: number | undefined, now: () => number): () => number | undefined {
  let taken: number[] = [];
  return () => {
    if (limit === undefined) return undefined;
    const at = now();
    taken = taken.filter((time) => time > at - WINDOW_MS);
    if (taken.length < limit) {
      taken.push(at);
      return undefined;
    }
    const oldest = taken[0] ?? at;
    return Math.max(1, Math.ceil((oldest + WINDOW_MS - at) / 1000));
  };
}
