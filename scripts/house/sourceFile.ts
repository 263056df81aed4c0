import { posix } from 'node:path';
import {
  type Class,
  type Declaration,
  type ParamPattern,
  type Program,
  parseSync,
  type Span,
  Visitor,
} from 'oxc-parser';

/** One named function, method or constructor. */
export interface MeasuredFunction {
  readonly file: string;
  readonly name: string;
  readonly kind: 'function' | 'method' | 'constructor';
  /** A function that is not exported, or a private method. */
  readonly isPrivate: boolean;
  readonly lines: number;
  readonly parameters: number;
  /** A free function with a parameter of the type `Run`: the state that travels through every step of a rotation. */
  readonly takesRotationState: boolean;
  /** Whether its name appears once in its file, in a call. */
  readonly calledOnce: boolean;
}

/** The measurements of one source file. */
export interface SourceFile {
  readonly path: string;
  readonly lines: number;
  readonly functions: readonly MeasuredFunction[];
  /** Files of the repository that it imports; with `typeOnly`, it imports only types from them. */
  readonly imports: readonly { readonly path: string; readonly typeOnly: boolean }[];
  /** Classes that extend `Error`, or a class whose name ends with `Error`. */
  readonly exceptions: readonly string[];
  /** Private fields of the type `ConnectionRecord` that are assigned outside the constructor, as `Class.field`. */
  readonly mutableRecords: readonly string[];
}

interface Parsed {
  readonly path: string;
  readonly program: Program;
  readonly textOf: (node: Span) => string;
}

/**
 * @param path from the top of the repository, with forward slashes
 * @throws Error if the text is not valid TypeScript
 */
export function measureSource(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path} is not valid TypeScript: ${errors[0].message}`);
  const parsed = { path, program, textOf: ({ start, end }: Span) => text.slice(start, end) };
  return {
    path,
    lines: text.split('\n').length - 1,
    functions: functionsOf(parsed),
    imports: importsOf(parsed),
    exceptions: exceptionsOf(parsed),
    mutableRecords: mutableRecordsOf(parsed),
  };
}

interface TopDeclaration {
  readonly declaration: Declaration;
  readonly exported: boolean;
}

/** The declarations at the top of a file. */
function declarationsOf({ program }: Parsed): TopDeclaration[] {
  return program.body.flatMap((statement): TopDeclaration[] => {
    switch (statement.type) {
      case 'ExportNamedDeclaration':
        return statement.declaration ? [{ declaration: statement.declaration, exported: true }] : [];
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
      case 'VariableDeclaration':
        return [{ declaration: statement, exported: false }];
      default:
        return [];
    }
  });
}

function functionsOf(parsed: Parsed): MeasuredFunction[] {
  const names = namesOf(parsed);
  const measured = (
    { kind, isPrivate }: Pick<MeasuredFunction, 'kind' | 'isPrivate'>,
    name: string,
    whole: Span,
    params: readonly ParamPattern[],
  ): MeasuredFunction => ({
    file: parsed.path,
    name,
    kind,
    isPrivate,
    lines: parsed.textOf(whole).split('\n').length,
    parameters: params.length,
    takesRotationState: kind === 'function' && params.some((each) => /:.*\bRun\b/s.test(parsed.textOf(each))),
    // The declaration counts as a use.
    calledOnce: names.uses(name) === 2 && names.calls(name) === 1,
  });
  const methodsOf = ({ body }: Class) =>
    body.body.flatMap((member) => {
      if (member.type !== 'MethodDefinition') return [];
      const isPrivate = member.key.type === 'PrivateIdentifier' || member.accessibility === 'private';
      const kind = member.kind === 'constructor' ? 'constructor' : 'method';
      return [measured({ kind, isPrivate }, parsed.textOf(member.key), member, member.value.params)];
    });
  return declarationsOf(parsed).flatMap(({ declaration, exported }) => {
    const free = { kind: 'function', isPrivate: !exported } as const;
    switch (declaration.type) {
      case 'FunctionDeclaration':
        return declaration.id ? [measured(free, declaration.id.name, declaration, declaration.params)] : [];
      case 'ClassDeclaration':
        return methodsOf(declaration);
      case 'VariableDeclaration':
        return declaration.declarations.flatMap((each) =>
          each.init?.type === 'ArrowFunctionExpression'
            ? [measured(free, parsed.textOf(each.id), each, each.init.params)]
            : [],
        );
      default:
        return [];
    }
  });
}

/** How often each name of a file refers to its declaration (which counts as well), and how often it is called. */
function namesOf({ program }: Parsed) {
  const places = new Map<string, Set<number>>();
  const calls = new Map<string, number>();
  const labels = new Set<number>();
  const label = (computed: boolean, { start }: Span) => computed || labels.add(start);
  const place = (name: string, { start }: Span) =>
    places.set(name, (places.get(name) ?? new Set()).add(start));
  new Visitor({
    MemberExpression: ({ computed, property }) => property.type === 'Identifier' && label(computed, property),
    Property: ({ computed, shorthand, key }) => shorthand || label(computed, key),
    PropertyDefinition: ({ computed, key }) => label(computed, key),
    TSPropertySignature: ({ computed, key }) => label(computed, key),
    Identifier: (node) => labels.has(node.start) || place(node.name, node),
    PrivateIdentifier: (node) => place(`#${node.name}`, node),
    CallExpression: ({ callee }) => {
      const named = callee.type === 'MemberExpression' ? callee.property : callee;
      const name =
        named.type === 'PrivateIdentifier' ? `#${named.name}` : callee.type === 'Identifier' && callee.name;
      if (name) calls.set(name, (calls.get(name) ?? 0) + 1);
    },
  }).visit(program);
  return {
    uses: (name: string) => places.get(name)?.size ?? 0,
    calls: (name: string) => calls.get(name) ?? 0,
  };
}

function importsOf({ path, program }: Parsed): SourceFile['imports'] {
  return program.body.flatMap((statement) => {
    if (statement.type !== 'ImportDeclaration' || !statement.source.value.startsWith('.')) return [];
    const { specifiers, importKind, source } = statement;
    const areTypes = specifiers.every(
      (each) => each.type === 'ImportSpecifier' && each.importKind === 'type',
    );
    const typeOnly = importKind === 'type' || (specifiers.length > 0 && areTypes);
    return [{ path: posix.join(posix.dirname(path), source.value), typeOnly }];
  });
}

function exceptionsOf(parsed: Parsed): string[] {
  return declarationsOf(parsed).flatMap(({ declaration }) =>
    declaration.type === 'ClassDeclaration' &&
    declaration.superClass &&
    parsed.textOf(declaration.superClass).endsWith('Error')
      ? [declaration.id?.name ?? '']
      : [],
  );
}

function mutableRecordsOf({ program, textOf }: Parsed): string[] {
  const found = new Set<string>();
  let className = '';
  let fields: readonly string[] = [];
  let inConstructor = false;
  new Visitor({
    ClassDeclaration: ({ id, body }) => {
      className = id?.name ?? '';
      fields = body.body.flatMap((member) => {
        if (member.type !== 'PropertyDefinition' || !member.typeAnnotation) return [];
        const isPrivate = member.key.type === 'PrivateIdentifier' || member.accessibility === 'private';
        return isPrivate && /\bConnectionRecord\b/.test(textOf(member.typeAnnotation))
          ? [textOf(member.key)]
          : [];
      });
    },
    MethodDefinition: ({ kind }) => {
      inConstructor = kind === 'constructor';
    },
    AssignmentExpression: ({ left }) => {
      if (inConstructor || left.type !== 'MemberExpression') return;
      const field = textOf(left.property);
      if (fields.includes(field)) found.add(`${className}.${field}`);
    },
  }).visit(program);
  return [...found];
}
