// What the tests have besides the mini host: test, assert, deadlines, the server's URLs, records of what tasks tell. It
// runs before each test's script; the tests run when that has ended, one after the other, and then the app exits.
(function () {
  'use strict';
  const facts = JSON.parse(host.args[0]);
  const DEADLINE_MS = 15000 * facts.slow;
  const tests = [];
  const watched = [];
  let reported = [];

  const show = (value) => {
    if (value instanceof ArrayBuffer) return 'ArrayBuffer(' + Array.from(new Uint8Array(value)).slice(0, 40) + ')';
    if (value instanceof Error) return value.name + ': ' + value.message;
    if (!['object', 'string'].includes(typeof value)) return String(value);
    const text = JSON.stringify(value);
    return text.length > 400 ? text.slice(0, 400) + '…' : text;
  };
  const assert = {
    ok(value, what) {
      if (!value) throw new Error(what || 'it is ' + show(value));
    },
    equal(value, expected, what) {
      if (!Object.is(value, expected)) {
        throw new Error((what ? what + ': ' : '') + show(value) + ', not ' + show(expected));
      }
    },
    // Plain objects and arrays, by their own enumerable fields.
    same(value, expected, what) {
      assert.equal(JSON.stringify(value), JSON.stringify(expected), what);
    },
    match(value, pattern, what) {
      if (!pattern.test(value)) throw new Error((what ? what + ': ' : '') + show(value) + ' does not match ' + pattern);
    },
    bytes(value, expected, what) {
      assert.ok(value instanceof ArrayBuffer, (what || 'data') + ' is no ArrayBuffer but ' + show(value));
      assert.same(Array.from(new Uint8Array(value)), Array.from(expected), what);
    },
    throws(body, what) {
      try {
        body();
      } catch (error) {
        return error;
      }
      throw new Error((what || 'it') + ' did not throw');
    },
    // What went to host.onError since the last look: exceptions and rejections that nobody caught.
    reported(...patterns) {
      const texts = reported.map((each) => each.kind + ' ' + String(each.error && each.error.message || each.error));
      reported = [];
      assert.equal(texts.length, patterns.length, 'reports ' + show(texts));
      texts.forEach((text, at) => assert.match(text, patterns[at]));
    },
  };
  let onReport = null;
  host.onError = (error, kind) => {
    reported.push({ error, kind });
    if (onReport) onReport();
  };
  const report = () => within(new Promise((resolve) => (onReport = resolve)), 'a report');

  // The promise's value, or an error after the deadline.
  const within = (promise, what) => {
    let timer = 0;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('not within ' + DEADLINE_MS + ' ms: ' + what)), DEADLINE_MS);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };

  // A URL of the server: url('id=x&status=403', 'wss', 'sink').
  const url = (query, listener, path) => {
    const name = listener || 'ws';
    return (name.startsWith('ws') && !name.startsWith('wss') ? 'ws' : 'wss') + '://127.0.0.1:' + facts.ports[name] + '/'
      + (path || 'echo') + (query ? '?' + query : '');
  };

  // Records what a task tells. until(kind) gives the result of the next event of that kind that nobody waited for yet.
  const watch = (task) => {
    const log = { task, events: [] };
    const unseen = [];
    let waiting = [];
    const tell = (kind) => (res) => {
      log.events.push({ kind, res, state: task.readyState });
      unseen.push({ kind, res });
      waiting = waiting.filter((look) => !look());
    };
    task.onOpen(tell('open'));
    task.onMessage(tell('message'));
    task.onError(tell('error'));
    task.onClose(tell('close'));
    log.kinds = () => log.events.map((event) => event.kind).join();
    log.until = (kind) => within(new Promise((resolve) => {
      const look = () => {
        const at = unseen.findIndex((event) => event.kind === kind);
        if (at >= 0) resolve(unseen.splice(at, 1)[0].res);
        return at >= 0;
      };
      if (!look()) waiting.push(look);
    }), kind + ' after ' + (log.kinds() || 'nothing'));
    log.closed = () => within(new Promise((resolve) => {
      const look = () => task.readyState === 3 && (resolve(log), true);
      // The event is told after the state has changed.
      if (!look()) waiting.push(look);
    }), 'the end after ' + log.kinds());
    watched.push(log);
    return log;
  };

  // Calls target[name] with callbacks. Gives, after complete, which were called, with what, and what was returned.
  const call = (target, name, options) => {
    const out = { told: [], results: [] };
    let done;
    const end = new Promise((resolve) => (done = resolve));
    const tell = (kind) => (res) => {
      out.told.push(kind);
      out.results.push(res);
      out.res = res;
      if (kind === 'complete') done(out);
    };
    const callbacks = { success: tell('success'), fail: tell('fail'), complete: tell('complete') };
    out.value = target[name](Object.assign({}, options, callbacks));
    return within(end, 'complete of ' + name);
  };
  const ok = async (promise) => {
    const out = await promise;
    assert.equal(out.told.join(), 'success,complete', show(out.res));
    return out;
  };
  const fails = async (promise, errMsg, errno) => {
    const out = await promise;
    assert.equal(out.told.join(), 'fail,complete', show(out.res));
    assert.equal(out.res.errMsg, errMsg);
    if (errno !== undefined) assert.equal(out.res.errno, errno, 'errno');
    return out;
  };

  // A task of wx (or another platform that gives one) that is open, with its record.
  const open = async (options, platform) => {
    const all = typeof options === 'string' ? { url: options } : options;
    const log = watch((platform || wx).connectSocket(all));
    log.opened = await log.until('open');
    return log;
  };

  // A command to the server or to run.py, over a platform that the test itself does not use.
  let channel = null;
  const command = async (text) => {
    if (channel === null || channel.task.readyState !== 1) {
      const log = watch((command.over || swan).connectSocket({ url: facts.command, multiple: true }));
      watched.pop();
      channel = log;
      await log.until('open');
    }
    channel.task.send({ data: text });
    const reply = (await channel.until('message')).data;
    assert.match(reply, /^ok/, 'the command ' + text);
    return reply.replace(/^ok ?/, '');
  };
  // The count-th line of the server's log of a connection that has the pattern in it.
  const served = (id, pattern, count) => command('wait ' + id + ' ' + (count || 1) + ' ' + DEADLINE_MS + ' ' + pattern);

  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  let names = 0;
  const fresh = () => 'n' + ++names; // an id for a connection
  Object.assign(globalThis, {
    test: (name, body) => void tests.push({ name, body }),
    assert, within, url, watch, call, ok, fails, open, command, served, turn, fresh, report, facts, show,
  });

  const runOne = async ({ name, body }) => {
    try {
      await within(body(), 'the test itself');
      assert.reported();
    } catch (error) {
      console.log('FAILED ' + name + ': ' + (error && error.message || error) + '\n' + (error && error.stack || ''));
      return false;
    } finally {
      for (const log of watched.splice(0)) {
        if (log.task.readyState === 3) continue;
        log.task.close({});
        await log.closed().catch((error) => console.log(name + ': ' + error.message));
      }
    }
    console.log('passed ' + name);
    return true;
  };
  // Once more through the loop: the test's script has ended then.
  setTimeout(async () => {
    let failed = tests.length === 0 ? 1 : 0;
    for (const each of tests) {
      if (!(await runOne(each))) failed++;
      reported = [];
    }
    console.log(tests.length - failed + ' of ' + tests.length + ' passed');
    host.exit(failed === 0 ? 0 : 1);
  }, 0);
})();
