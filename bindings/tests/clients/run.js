'use strict';
// label: interop
//
// run.js [--mini-host PROGRAM] ENGINE CLIENT [ARGUMENT...]: one client in one engine (node, quickjs or jsc).
//
// CLIENT is one of drivers/, which takes the arguments and has the other side; what runs in the engine is in programs/.
//
// TARO_TEST_CERTS names the certificates of scripts/certs.sh, NODE_PATH the packages of package-lock.json. For Node.js
// TARO_SOCKET_NODE names the Node-API binding. The exit code is 77 where something that it takes is not installed.

const fs = require('fs');
const os = require('os');
const path = require('path');
const { Host, SKIPPED } = require('./support/host');

function installed(name) {
  try {
    return require.resolve(`${name}/package.json`) !== '';
  } catch {
    return false;
  }
}

async function main(argv) {
  let miniHost;
  if (argv[0] === '--mini-host') [, miniHost, ...argv] = argv;
  const [engine, client, ...rest] = argv;
  const certs = process.env.TARO_TEST_CERTS;
  if (!installed('mqtt')) {
    console.log('the npm packages of package-lock.json are not there');
    return SKIPPED;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'taro-clients-'));
  try {
    const host = new Host({ engine, miniHost, folder, ca: path.join(certs, 'ca.pem') });
    const drive = require(path.join(__dirname, 'drivers', client));
    return (await drive(host, ...rest, { folder, certs })) ? 0 : SKIPPED;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

// Before ctest's own limit, which would leave what was started here.
const limit = setTimeout(() => {
  console.error('not within 55 s');
  process.exit(1);
}, 55000 * Number(process.env.TARO_TEST_SLOW || 1));
limit.unref();

main(process.argv.slice(2)).then((code) => { process.exitCode = code; }, (error) => {
  console.error(error);
  process.exitCode = 1;
});
