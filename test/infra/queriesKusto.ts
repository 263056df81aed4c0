import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The parts of the Kusto language service that the tests use; it is C# compiled to JavaScript, and its own types do not help. */
interface KustoList<T> {
  readonly Count: number;
  getItem(index: number): T;
}

interface SyntaxNode {
  readonly Operator?: SyntaxNode;
  readonly Left?: SyntaxNode;
  readonly Right?: SyntaxNode;
  readonly ResultType?: { readonly Name: string } | null;
  readonly ChildCount: number;
  GetChild(index: number): SyntaxNode | null;
  toString(): string;
}

interface KustoCode {
  readonly Syntax: SyntaxNode;
  readonly ResultType: {
    readonly Columns?: KustoList<{ readonly Name: string; readonly Type: { readonly Name: string } }>;
  } | null;
  GetDiagnostics(): KustoList<{ readonly Code: string; readonly Severity: string; readonly Message: string }>;
}

interface KustoLanguage {
  readonly KustoCode: { ParseAndAnalyze(query: string, globals: unknown): KustoCode };
  readonly GlobalState: { readonly Default: { WithDatabase(database: unknown): unknown } };
  readonly Symbols: {
    readonly DatabaseSymbol: { readonly ctor: new (name: string, tables: unknown[]) => unknown };
    readonly TableSymbol: {
      readonly $ctor7: new (name: string, columns: string, description: string | null) => unknown;
    };
  };
}

const TOOLS = new URL('../../tools/package.json', import.meta.url);

/** The columns that the queries use, from Azure Monitor's table reference. */
const TABLES = {
  AppTraces: '(TimeGenerated: datetime, Message: string)',
  AZKVAuditLogs: '(TimeGenerated: datetime, HttpStatusCode: int, OperationName: string, _ResourceId: string)',
};

/** A comparison of a column with words: `event in ('a', 'b')` gives `event` and both. */
interface Comparison {
  readonly column: string;
  readonly words: readonly string[];
}

/** The analysis of a query by the language service. */
export interface AnalyzedQuery {
  /** A message for each error, warning, and comparison of a text with another type. */
  readonly problems: readonly string[];
  /** The columns that the query returns, with their types. */
  readonly columns: Readonly<Record<string, string>>;
  readonly comparisons: readonly Comparison[];
}

/** Made once: the language service caches its knowledge of the tables and functions in it. */
let workspace: unknown;

/** Parses a query and binds it against the tables of the workspace. */
export function analyze(query: string): AnalyzedQuery {
  workspace ??= globals();
  const code = language().KustoCode.ParseAndAnalyze(query, workspace);
  const comparisons = nodesOf(code.Syntax).filter(({ Operator, Left, Right }) => Operator && Left && Right);
  const diagnostics = itemsOf(code.GetDiagnostics()).map(({ Code, Message }) => `${Code} ${Message}`);
  const columns = code.ResultType?.Columns;
  return {
    problems: [...diagnostics, ...comparisons.flatMap(mixedKinds)],
    columns: Object.fromEntries(columns ? itemsOf(columns).map(({ Name, Type }) => [Name, Type.Name]) : []),
    comparisons: comparisons.map(({ Left, Right }) => ({
      column: String(Left).trim(),
      words: [...String(Right).matchAll(/'([^']*)'/g)].map(([, word]) => word ?? ''),
    })),
  };
}

/** The service accepts `overdue == 'a'` without a warning, and no row would ever match. */
function mixedKinds(comparison: SyntaxNode): string[] {
  const kinds = [comparison.Left, comparison.Right].map((side) => side?.ResultType?.Name);
  const texts = kinds.filter((kind) => kind === 'string').length;
  return texts === 1 && !kinds.includes(undefined)
    ? [`${String(comparison).trim()} compares ${kinds.join(' with ')}.`]
    : [];
}

function nodesOf(node: SyntaxNode): SyntaxNode[] {
  const children = Array.from({ length: node.ChildCount }, (_, index) => node.GetChild(index));
  return [node, ...children.flatMap((child) => (child ? nodesOf(child) : []))];
}

function itemsOf<T>(list: KustoList<T>): T[] {
  return Array.from({ length: list.Count }, (_, index) => list.getItem(index));
}

/**
 * Whether the language service is installed, which is one of the packages in tools/. If not, it prints a message.
 * @throws Error if it is missing although REQUIRE_TOOLS is set
 */
export function kustoForTests(): boolean {
  if (existsSync(new URL('node_modules/@kusto/language-service-next', TOOLS))) return true;
  const message = 'The language service of Kusto is missing; install it with "npm run tools".';
  if (process.env.REQUIRE_TOOLS === '1') throw new Error(message);
  console.log(`SKIPPED: ${message}`);
  return false;
}

/** The package has no exports: its scripts set globals when they are loaded, in this order. */
function language(): KustoLanguage {
  const require = createRequire(TOOLS);
  require('@kusto/language-service-next/bridge.min.js');
  require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
  const { Language } = Reflect.get(globalThis, 'Kusto') as { Language: KustoLanguage };
  return Language;
}

function globals(): unknown {
  const { GlobalState, Symbols } = language();
  const tables = Object.entries(TABLES).map(
    ([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns, null),
  );
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', tables));
}
