'use strict';
// Where programs run: Node.js with the Node-API binding, or the mini host with one of its engines.

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const spawnChild = require('./child');

/** The exit code of what cannot run here. */
const SKIPPED = 77;

/** Programs whose library comes as source for a build: with types, and it goes by the names of its classes. */
const SOURCES = new Set(['signalr']);

const ROOM = path.join(__dirname, '..');

/** A running program. `said` is called with each line that it has for the driver. */
class Running {
  constructor(command, args, said) {
    this.process = spawnChild(command, args, ['pipe', 'pipe']);
    this.output = '';
    const lines = [this.process.stdout, this.process.stderr].map((stream) => readline.createInterface(stream));
    const read = lines.map((each) => new Promise((resolve) => { each.once('close', resolve); }));
    const exited = new Promise((resolve) => { this.process.once('exit', (code, signal) => resolve(signal || code)); });
    this.ended = Promise.all([exited, ...read]).then(([status]) => status);
    this.failure = '';
    for (const each of lines) each.on('line', (line) => this.read(line, said));
  }

  read(line, said) {
    this.output += `${line}\n`;
    // The mini host writes what it is before the text.
    const at = line.indexOf('@ {');
    if (at < 0) return;
    const { what, ...details } = JSON.parse(line.slice(at + 2));
    if (what === 'failed') this.failure = details.error;
    said(what, details);
  }

  kill() {
    this.process.kill('SIGKILL');
    return this.ended;
  }
}

/** `engine`: node, quickjs or jsc. */
class Host {
  constructor({ engine, miniHost, folder, ca }) {
    Object.assign(this, { engine, miniHost, folder, ca });
    this.bundles = new Map();
  }

  run(program, config, said) {
    if (this.engine === 'node') {
      const file = SOURCES.has(program) ? this.bundle(program) : path.join(ROOM, 'programs', program);
      const args = [path.join(ROOM, 'support', 'node_host.js'), file, JSON.stringify({ ...config, ca: this.ca })];
      return new Running(process.execPath, args, said);
    }
    const args = ['--engine', this.engine, '--ca', this.ca, this.bundle(program), '--', JSON.stringify(config)];
    return new Running(this.miniHost, args, said);
  }

  /** The folder of an app that is the program and all it requires. For Node.js: of a module. */
  bundle(program) {
    if (this.bundles.has(program)) return this.bundles.get(program);
    const isNode = this.engine === 'node';
    const app = path.join(this.folder, program);
    fs.mkdirSync(app, { recursive: true });
    // Without debug only wss is allowed. MQTT.js and Supabase's client try again after a `close` only.
    fs.writeFileSync(path.join(app, 'app.json'), '{ "debug": true, "miniHost": { "closeAfterError": true } }\n');
    const entry = isNode ? `module.exports = require('./programs/${program}');\n`
      : `require('./support/mini_host')(require('./programs/${program}'));\n`;
    require('esbuild').buildSync({
      stdin: { contents: entry, resolveDir: ROOM },
      bundle: true,
      outfile: path.join(app, isNode ? 'index.js' : 'app.js'),
      platform: 'browser',
      format: isNode ? 'cjs' : 'iife',
      target: 'es2020',
      logLevel: 'error',
      nodePaths: (process.env.NODE_PATH || '').split(path.delimiter).filter(Boolean),
      alias: {
        // Its package gives require() a script for browsers' script elements, which exports nothing.
        mqtt: 'mqtt/dist/mqtt.esm',
        '@tarojs/taro': path.join(ROOM, 'support', 'taro.js'),
        // Taro's own builds of today leave it out too.
        '@tarojs/async-await': path.join(ROOM, 'support', 'nothing.js'),
      },
      ...(SOURCES.has(program) ? { loader: { '.js': 'ts' }, keepNames: true } : {}),
      define: {
        global: 'globalThis',
        'process.env.NODE_ENV': '"production"',
        'process.env.TARO_ENV': '"weapp"',
        'process.env.TARO_TEST_SLOW': JSON.stringify(process.env.TARO_TEST_SLOW || '1'),
      },
    });
    this.bundles.set(program, app);
    return app;
  }

  /**
   * Runs a program to its end. `answers`: what the driver does when the program says something, by the word said; each
   * gets the details, and may be asynchronous. Resolves with false if the engine is not there.
   */
  async play(program, config, answers = {}) {
    let failure;
    let done = false;
    const given = [];
    const running = this.run(program, config, (what, details) => {
      if (what === 'passed') console.log(`${program}: ${details.name}`);
      if (what === 'done') done = true;
      if (!answers[what]) return;
      given.push(Promise.resolve(details).then(answers[what]).catch((error) => {
        failure = failure || error;
        running.kill();
      }));
    });
    const status = await running.ended;
    if (status === SKIPPED) return false;
    await Promise.all(given);
    if (failure === undefined && status === 0 && done) return true;
    console.error(running.output);
    throw failure || new Error(`${program} ended with ${status}: ${running.failure}`);
  }
}

module.exports = { Host, SKIPPED };
