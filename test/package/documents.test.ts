import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './support.ts';

const DOCUMENTS = globSync('**/*.md', { cwd: ROOT, exclude: ['**/node_modules', '.*'] });

const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const exists = (folder: string, path: string) => existsSync(join(ROOT, folder, path));

test('finds the documents', () => {
  expect(DOCUMENTS).toEqual(expect.arrayContaining(['README.md', 'docs/deploy.md', 'infra/README.md']));
});

/** The anchors of the headings: lower case, no punctuation, hyphens for spaces. */
const anchorsOf = (file: string) =>
  [...text(file).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );

test.each(DOCUMENTS)('%s links to files and headings that exist', (file) => {
  const links = [...text(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
  const broken = links.filter(([, path = '', anchor]) => {
    const target = path === '' ? file : join(dirname(file), path);
    return !exists('.', target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test.each(DOCUMENTS)('%s names files that exist', (file) => {
  const named = text(file).match(/(?<=`)(cli|functions|infra|lib|local|scripts|test)\/[\w./-]+(?=`)/g) ?? [];
  expect(named.filter((path) => !exists('.', path))).toEqual([]);
});

test.each(DOCUMENTS)('%s repeats no long line, and closes each block', (file) => {
  const lines = text(file).split('\n');
  const long = lines.filter((line) => line.length > 60 && !/^[|-\s]+$/.test(line));
  expect(long.filter((line, index) => long.indexOf(line) !== index)).toEqual([]);
  expect(lines.filter((line) => line.startsWith('```')).length % 2).toBe(0);
});
