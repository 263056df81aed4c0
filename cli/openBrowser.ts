import { spawn } from 'node:child_process';

/** By platform: all; Linux and its desktops; Windows Subsystem for Linux; macOS; Windows, which ignores case. */
const NEEDED = new RegExp(
  `^(${[
    'PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|BROWSER',
    'DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_[A-Z_]+|DBUS_SESSION_BUS_ADDRESS|DESKTOP_SESSION|GNOME_DESKTOP_SESSION_ID|KDE_FULL_SESSION|KDE_SESSION_VERSION',
    'WSL_DISTRO_NAME|WSL_INTEROP|WSLENV',
    '__CF_USER_TEXT_ENCODING',
    'SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|OS|APPDATA|LOCALAPPDATA|ALLUSERSPROFILE|PUBLIC|TEMP|TMP|USERNAME|USERDOMAIN|USERPROFILE|HOMEDRIVE|HOMEPATH|PROGRAMDATA|(COMMON)?PROGRAM(FILES|W6432)(\\(X86\\))?',
  ].join('|')})$`,
  'i',
);

/**
 * Opens the address in the user's browser, if there is one: `$BROWSER`, or else the system's default. Never throws, because the
 * address is also on the screen.
 */
export function openBrowser(url: string, env: NodeJS.ProcessEnv): void {
  const { BROWSER: browser } = env;
  const [command, args] = browser ? [browser, [url]] : opener(process.platform, url);
  const child = spawn(command, args, { stdio: 'ignore', detached: true, env: browserEnvironment(env) });
  child.on('error', () => {});
  child.unref();
}

/** The variables that a browser needs. All others stay here: the environment of the command holds secrets. */
function browserEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => NEEDED.test(name)));
}

function opener(platform: NodeJS.Platform, url: string): [string, string[]] {
  if (platform === 'darwin') return ['open', [url]];
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]];
  return ['xdg-open', [url]];
}
