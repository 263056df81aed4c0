/** Loaded into each process of the tests: replaces a package by its bundle; see `bundlePackages`. */
import { readFileSync } from 'node:fs';
import module from 'node:module';

const list = new URL(new URL(import.meta.url).search.replace(/^\?(\w+=)?/, ''));
const bundles = JSON.parse(readFileSync(list, 'utf8'));

// A Node before 24, which some tests start, may not have it. There the packages themselves are loaded.
module.registerHooks?.({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const url = bundles[found.url];
    if (url === undefined) return found;
    return { ...found, url, format: url.endsWith('.mjs') ? 'module' : found.format };
  },
});
