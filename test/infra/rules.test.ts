import { describe, expect, it } from 'vitest';
import { documentedRights } from './support/rights.ts';
import { templateViolations } from './support/templateRules.ts';

describe('a template', () => {
  const SCHEMAS = 'https://schema.management.azure.com/schemas';
  const group = { $schema: `${SCHEMAS}/2019-04-01/deploymentTemplate.json#`, resources: {} };
  const subscription = {
    $schema: `${SCHEMAS}/2018-05-01/subscriptionDeploymentTemplate.json#`,
    resources: {},
  };

  it('may be for a resource group', () => {
    expect(templateViolations(group)).toEqual([]);
  });

  it.each([
    ['main', subscription],
    ['main.roles', { ...group, resources: { roles: deploymentOf(subscription) } }],
  ])('may not be for a subscription: %s', (path, template) => {
    expect(templateViolations(template)).toEqual([`${path} is not for a resource group`]);
  });

  function deploymentOf(template: typeof group) {
    return { type: 'Microsoft.Resources/deployments', properties: { template } };
  }
});

it('reads the table of rights regardless of the order of the actions', () => {
  const table = '| who | on | may | why |\n| --- | --- | --- | --- |\n';
  const markdown = `# S\n\n## Rights\n\n${table}| a | b | \`set\`, \`get\` | c |\n| d | e | Some Role | f |\n\n## Other\n\n| g | h | i | j |\n`;
  expect(documentedRights(markdown)).toEqual(['a | b | get, set', 'd | e | Some Role']);
});
