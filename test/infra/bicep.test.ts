import { afterAll, beforeAll, describe } from 'vitest';
import { connectionTypeSuite } from './suites/connectionType.ts';
import { deploymentSuite } from './suites/deployment.ts';
import { mutantSuite, parameterSuite, warningSuite } from './suites/mutants.ts';
import { bicepForTests } from './support/bicepCli.ts';
import { BicepServer } from './support/bicepServer.ts';

const bicep = bicepForTests();

// One file, because a server takes seconds for the first file that it compiles.
describe.skipIf(!bicep)('the Bicep', () => {
  let server: BicepServer;
  const serverOf = () => server;

  beforeAll(() => {
    // As azd calls it: main.bicepparam reads these.
    const ofAzd = {
      AZURE_ENV_NAME: 'from-azd',
      AZURE_PRINCIPAL_ID: '10000000-0000-4000-8000-000000000007',
      AZURE_PRINCIPAL_TYPE: 'Group',
    };
    server = new BicepServer(bicep ?? '', ofAzd);
  });
  afterAll(() => server.close());

  describe('as it stands', () => deploymentSuite(serverOf));
  describe('and the connections', () => connectionTypeSuite(serverOf));
  describe('with a finding still deploys, and is told about it', () => warningSuite(bicep ?? ''));
  describe('refuses parameters that contradict each other', () => parameterSuite(serverOf));
  describe('is judged by rules that notice', () => mutantSuite(serverOf));
});
