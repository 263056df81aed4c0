/**
 * The known word that was probably meant: the closest by letters, ignoring case and marks such as `_` and `-`.
 * @returns undefined if no word is close
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = simplify(word.slice(0, LONGEST));
  const farthest = Math.max(1, plain.length / 3);
  const ranked = known
    .filter((candidate) => Math.abs(candidate.length - plain.length) <= farthest + MARKS)
    .map((candidate) => ({ candidate, distance: editDistance(plain, simplify(candidate)) }))
    .sort((one, other) => one.distance - other.distance);
  const best = ranked[0];
  return best && best.distance <= farthest ? best.candidate : undefined;
}

/** As many marks may a known word have, which do not count as letters. */
const MARKS = 4;
/** No known word is longer; a word in a file may have any length. */
const LONGEST = 64;

function simplify(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** How many letters must be inserted, removed, replaced or swapped with the next one (optimal string alignment), row by row. */
function editDistance(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...one].entries()) {
    const above = row;
    row = [index + 1];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      const isSwapped = letter === other[column - 2] && one[index - 1] === other[column - 1];
      const swapped = isSwapped ? (before[column - 2] ?? 0) + 1 : replaced;
      row.push(Math.min(replaced, swapped, (above[column] ?? 0) + 1, (row[column - 1] ?? 0) + 1));
    }
    before = above;
  }
  return row[other.length] ?? 0;
}
