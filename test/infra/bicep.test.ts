import { afterAll, beforeAll, describe } from 'vitest';
import { connectionTypeSuite } from './suites/connectionType.ts';
import { deploymentSuite, pipelineSuite, previewSuite } from './suites/deployment.ts';
import { mutantSuite, parameterSuite, warningSuite } from './suites/mutants.ts';
import { publicFailureSuite } from './suites/publicFailures.ts';
import { bicepForTests } from './support/bicepCli.ts';
import { BicepServer } from './support/bicepServer.ts';

const bicep = bicepForTests();

/** The variables that azd sets. main.bicepparam reads them. */
const OF_AZD = {
  AZURE_ENV_NAME: 'from-azd',
  AZURE_LOCATION: 'swedencentral',
  AZURE_OPERATOR_ID: '10000000-0000-4000-8000-000000000007',
  AZURE_OPERATOR_TYPE: 'Group',
  // The tests may run in a pipeline.
  CI: '',
  TF_BUILD: '',
  GITHUB_EVENT_NAME: '',
};

// All suites are in one file, because a server takes seconds for the first file that it compiles.
describe.skipIf(!bicep)('the Bicep', () => {
  let server: BicepServer;
  let inPipeline: BicepServer;
  let inPreview: BicepServer;
  const serverOf = () => server;

  beforeAll(() => {
    server = new BicepServer(bicep ?? '', OF_AZD);
    inPipeline = new BicepServer(bicep ?? '', { ...OF_AZD, CI: 'true' });
    inPreview = new BicepServer(bicep ?? '', { ...OF_AZD, CI: 'true', GITHUB_EVENT_NAME: 'pull_request' });
  });
  afterAll(() => {
    server.close();
    inPipeline.close();
    inPreview.close();
  });

  describe('as committed', () => deploymentSuite(serverOf));
  describe('in a pipeline', () => pipelineSuite(() => inPipeline));
  describe('in a preview', () => previewSuite(() => inPreview));
  describe('and the type of the connections', () => connectionTypeSuite(serverOf));
  describe('still deploys with a finding, and reports it', () => warningSuite(serverOf, bicep ?? ''));
  describe('refuses parameters that contradict each other', () => parameterSuite(serverOf));
  describe('keeps failures away that others had', () => publicFailureSuite(serverOf));
  describe('is checked by rules that detect defects', () => mutantSuite(serverOf));
});
