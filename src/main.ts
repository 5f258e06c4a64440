/** The server process: reads the configuration, builds the application, listens, and stops gracefully. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { createApp, isOperatorError } from './app.ts';
import { loadConfig, readEnvFile } from './config.ts';
import { welcome } from './pages/welcome.ts';

try {
  const { values: options } = parseArgs({ options: { 'no-migrate': { type: 'boolean', default: false } } });
  readEnvFile();
  const config = loadConfig();
  const address = { port: config.port, host: config.host ?? '::' };
  await assertFree(address);
  const app = await createApp(config, { migrate: !options['no-migrate'] });
  await app.server.listen(address);
  if (process.stdout.isTTY || app.quickstart) console.log(welcome(config, app.quickstart));

  const stop = async (signal: string) => {
    app.infrastructure.log.info({ signal }, 'stopping');
    await app.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  const { syscall, message, code } = error as NodeJS.ErrnoException;
  if (syscall === 'listen' || syscall === 'getaddrinfo') console.error(`${message}. PORT and HOST say where to listen.`);
  else if (code?.startsWith('ERR_PARSE_ARGS'))
    console.error(`${message}\nThe only option is --no-migrate; npm run cli -- help lists the commands.`);
  else console.error(isOperatorError(error) ? message : error);
  process.exit(1);
}

/** A first start writes the address down for newcomers: so nothing is made where the port is another program's.
 * @throws Error as listening does */
async function assertFree(address: { readonly port: number; readonly host: string }): Promise<void> {
  const server = createServer().listen(address);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
