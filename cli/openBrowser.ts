import { spawn } from 'node:child_process';

/**
 * Opens the address in the user's browser, if there is one: `$BROWSER`, or else the system's default. Never throws, because the
 * address is also on the screen.
 */
export function openBrowser(url: string, browser: string | undefined): void {
  const [command, args] = browser ? [browser, [url]] : opener(process.platform, url);
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

function opener(platform: NodeJS.Platform, url: string): [string, string[]] {
  if (platform === 'darwin') return ['open', [url]];
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]];
  return ['xdg-open', [url]];
}
