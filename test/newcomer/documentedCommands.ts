/** The commands in the examples of a page, for bash: one line each, without comments. */
export function documentedCommands(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const lines = blocks.flatMap((block) => block.replace(/ \\\n\s*/g, ' ').split('\n'));
  return lines.map((line) => line.replace(/ +#.*$/, '')).filter((line) => line !== '');
}
