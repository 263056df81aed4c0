/**
 * Loaded into Azurite's process before Azurite. Half of the time that Azurite takes to start goes into its telemetry and its SQL
 * database. This process uses neither: `--disableTelemetry`, and no AZURITE_DB. So an empty module takes the place of each, and `overrides` in
 * package.json keeps npm from installing them.
 */
import { registerHooks } from 'node:module';

const SCHEME = 'unused:';
/** What Azurite needs of each package when it loads. */
const UNUSED: Readonly<Record<string, string>> = {
  applicationinsights: '',
  sequelize: 'exports.Model = class {};',
};

registerHooks({
  resolve: (specifier, context, next) =>
    specifier in UNUSED
      ? { url: `${SCHEME}${specifier}`, format: 'commonjs', shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url.startsWith(SCHEME)
      ? { format: 'commonjs', source: UNUSED[url.slice(SCHEME.length)] ?? '', shortCircuit: true }
      : next(url, context),
});
