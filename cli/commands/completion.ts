import type { Command } from 'commander';
import { EXIT } from '../exitCodes.ts';

/** The shells that have a completion script. */
export const SHELLS = ['bash', 'zsh', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

/** Words by command; the empty name is the program itself. */
type Words = ReadonlyMap<string, readonly string[]>;

/** `rotator completion SHELL`: a script that contains the commands and options, so completion does not run the program. */
export function completion(shell: Shell, program: Command): number {
  process.stdout.write(`${scripts[shell](wordsOf(program))}\n`);
  return EXIT.done;
}

function wordsOf(program: Command): Words {
  const common = optionsOf(program);
  const commands = program.commands.map((command): [string, string[]] => [
    command.name(),
    [...optionsOf(command), ...common],
  ]);
  return new Map([['', [...commands.map(([name]) => name), ...common]], ...commands]);
}

function optionsOf({ options }: Command): string[] {
  return options.flatMap(({ long }) => long ?? []);
}

const scripts: Readonly<Record<Shell, (words: Words) => string>> = {
  bash: (words) => `# source <(rotator completion bash)
_rotator() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases(words, (name, list) => `    ${name}) words="${list}" ;;`)}
    *) words="${listOf(words, '')}" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${listOf(words, '')}"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _rotator rotator`,
  zsh: (words) => `#compdef rotator
# source <(rotator completion zsh)
_rotator() {
  local -a words_of
  if (( CURRENT == 2 )); then
    words_of=(${listOf(words, '')})
  else
    case "\${words[2]}" in
${cases(words, (name, list) => `      ${name}) words_of=(${list}) ;;`)}
    esac
  fi
  compadd -a words_of || _files
}
compdef _rotator rotator`,
  powershell: (words) => `# rotator completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName rotator -ScriptBlock {
  param($wordToComplete, $commandAst)
  $words = @{
${cases(words, (name, list) => `    '${name}' = '${list}'`)}
  }
  $elements = $commandAst.CommandElements
  $command = if ($elements.Count -gt 2 -or ($elements.Count -eq 2 -and -not $wordToComplete)) { "$($elements[1])" } else { '' }
  $list = if ($command -and $words.ContainsKey($command)) { $words[$command] } else { '${listOf(words, '')}' }
  $list -split ' ' | Where-Object { $_ -like "$wordToComplete*" }
}`,
};

function cases(words: Words, line: (name: string, list: string) => string): string {
  return [...words.keys()]
    .filter(Boolean)
    .map((name) => line(name, listOf(words, name)))
    .join('\n');
}

function listOf(words: Words, name: string): string {
  return (words.get(name) ?? []).join(' ');
}
