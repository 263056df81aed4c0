import { allTexts, type Template } from './arm.ts';

const MODULE = 'https://github.com/Azure/terraform-azurerm-avm-res-web-site';
const SETTINGS =
  'https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations';

/**
 * What Flex Consumption refuses (ARM error 51021) or ignores, with the source. Azure compares names without case. Regions differ: some
 * ignore what others refuse.
 */
const REJECTED: readonly (readonly [name: string, source: string])[] = [
  // Properties of siteConfig, and of the site
  ['ftpsState', 'https://learn.microsoft.com/answers/questions/2277522/'],
  ['use32BitWorkerProcess', 'https://github.com/microsoft/azure-pipelines-tasks/issues/21032'],
  ['netFrameworkVersion', 'https://github.com/microsoft/azure-pipelines-tasks/issues/21032'],
  ['functionsRuntimeScaleMonitoringEnabled', `${MODULE}/issues/360`],
  ['preWarmedInstanceCount', `${MODULE}/issues/360`],
  ['functionAppScaleLimit', 'https://github.com/Azure/azure-functions-host/issues/10643'],
  ['linuxFxVersion', `${MODULE}/issues/283`],
  ['windowsFxVersion', `${MODULE}/pull/345`],
  ['alwaysOn', `${MODULE}/pull/345`],
  ['minimumElasticInstanceCount', `${MODULE}/issues/353`],
  ['nodeVersion', SETTINGS],
  ['javaVersion', SETTINGS],
  ['powerShellVersion', SETTINGS],
  ['containerSize', SETTINGS],
  ['isXenon', SETTINGS],
  // App settings
  ['ENABLE_ORYX_BUILD', SETTINGS],
  ['FUNCTIONS_EXTENSION_VERSION', SETTINGS],
  ['FUNCTIONS_MAX_HTTP_CONCURRENCY', SETTINGS],
  ['FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED', SETTINGS],
  ['FUNCTIONS_WORKER_PROCESS_COUNT', SETTINGS],
  ['FUNCTIONS_WORKER_RUNTIME', SETTINGS],
  ['FUNCTIONS_WORKER_RUNTIME_VERSION', SETTINGS],
  ['SCM_DO_BUILD_DURING_DEPLOYMENT', SETTINGS],
  ['WEBSITE_CONTENTAZUREFILECONNECTIONSTRING', SETTINGS],
  ['WEBSITE_CONTENTOVERVNET', SETTINGS],
  ['WEBSITE_CONTENTSHARE', SETTINGS],
  ['WEBSITE_DNS_SERVER', SETTINGS],
  ['WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT', SETTINGS],
  ['WEBSITE_NODE_DEFAULT_VERSION', SETTINGS],
  ['WEBSITE_RUN_FROM_PACKAGE', 'https://github.com/Azure/Azure-Functions/issues/2558'],
  ['WEBSITE_SKIP_CONTENTSHARE_VALIDATION', SETTINGS],
  ['WEBSITE_VNET_ROUTE_ALL', SETTINGS],
  // Accepted, but without effect: the process of Node has started before it gets the settings.
  ['NODE_EXTRA_CA_CERTS', 'https://nodejs.org/api/cli.html#node_extra_ca_certsfile'],
  ['NODE_OPTIONS', 'https://nodejs.org/api/cli.html#node_optionsoptions'],
  ['UV_THREADPOOL_SIZE', 'https://docs.libuv.org/en/v1.x/threadpool.html'],
];

/** The properties of siteConfig that others deploy to Flex Consumption. Nothing is known of any other, so a new one needs a source here. */
const ACCEPTED = new Set(['appSettings', 'http20Enabled', 'minTlsVersion', 'scmMinTlsVersion']);
const ACCEPTED_SOURCE =
  'https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/function_app_flex_consumption.html.markdown';

/** What Flex Consumption refuses or ignores in the sites of a template and in their configuration, and properties of unknown effect. */
export function flexViolations(path: string, { resources }: Template): string[] {
  const sites = Object.values(resources).filter(({ type }) =>
    /^Microsoft\.Web\/sites(\/config)?$/.test(type),
  );
  const names = new Set(allTexts(sites).map((text) => text.toLowerCase()));
  const rejected = REJECTED.filter(([name]) => names.has(name.toLowerCase()));
  const unknown = sites
    .flatMap(({ properties }) => Object.keys(properties?.siteConfig ?? {}))
    .filter((name) => !ACCEPTED.has(name) && !rejected.some(([known]) => known === name));
  return [
    ...rejected.map(([name, source]) => `${path}: Flex Consumption does not accept ${name} (${source})`),
    ...unknown.map(
      (name) => `${path}: no source says that Flex Consumption accepts ${name}; see ${ACCEPTED_SOURCE}`,
    ),
  ];
}
