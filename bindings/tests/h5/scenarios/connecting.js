'use strict';
// Connecting: failures, URLs, options.

const { scenario, patternText, closed, life, session } = require('./kit.js');

// --- connecting fails

for (const [name, query] of Object.entries({
  status_403: { status: '403' },
  status_200: { status: '200' },
  status_302: { status: '302' },
  wrong_accept: { accept: 'wrong' },
  no_upgrade_field: { upgrade: '' },
  extension_nobody_offered: { extension: 'x-unknown' },
  garbage: { raw: 'no HTTP at all\r\n\r\n' }
})) {
  scenario('refused_' + name, async (t) => {
    await life(t, t.url('/echo', query));
  });
}

for (const [name, listener] of Object.entries({ connection: 'refuse', dropped: 'drop', reset: 'reset' })) {
  scenario('refused_' + name, async (t) => {
    await life(t, t.url('/echo', {}, { listener }));
  });
}

scenario('certificate_of_nobody', async (t) => {
  await life(t, t.url('/echo', {}, { listener: 'wss_unknown', scheme: 'wss' }));
});

scenario('host_without_address', async (t) => {
  await life(t, t.url('/echo', {}, { host: 'nobody.invalid' }));
});

// --- URLs

for (const [name, url] of Object.entries({
  empty: '',
  words: 'no url',
  relative: '/echo',
  http: 'http://127.0.0.1/',
  no_host: 'ws://',
  bad_port: 'ws://127.0.0.1:99999/',
  number: 5,
  null: null,
  undefined
})) {
  scenario('url_' + name, (t) => t.connect({ url }));
  scenario('url_' + name + '_without_callbacks', (t) => t.connect({ url }, { callbacks: [] }));
}

scenario('url_with_fragment', async (t) => {
  await life(t, t.url() + '#part');
});

scenario('url_with_uppercase_scheme', (t) => session(t, t.url('/echo', {}, { scheme: 'WS' }), () => {}));
scenario('url_in_blanks', (t) => session(t, ` ${t.url()} `, () => {}));
scenario('url_with_unicode_path', (t) =>
  session(t, t.url('/echo', { q: 'Zürich' }).replace(/$/, '&ü=東 京&"<>`'), () => {})
);
scenario('url_with_short_address', (t) => session(t, t.url('/echo', {}, { host: '127.1' }), () => {}));
scenario('url_with_dots', (t) => session(t, t.url('/a/../echo'), () => {}));
scenario('url_with_user', (t) => session(t, t.url('/echo', {}, { host: 'user:secret@127.0.0.1' }), () => {}));

// --- options

scenario('options_missing', async (t) => {
  await t.call('none', 'connect', undefined, () => t.Taro.connectSocket());
  await t.call('null', 'connect', undefined, () => t.Taro.connectSocket(null));
  await t.call('text', 'connect', undefined, () => t.Taro.connectSocket('ws://127.0.0.1/'));
});

scenario('options_unknown', (t) =>
  session(t, { url: t.url(), method: 'GET', data: { a: 1 }, nonsense: true }, () => {})
);
scenario('options_of_tcp', (t) =>
  session(t, { url: t.url(), tcpNoDelay: true, timeout: 30000, forceCellularNetwork: false }, () => {})
);

scenario('header', (t) =>
  session(
    t,
    {
      url: t.url(),
      header: {
        'X-Token': 'abc',
        'x-number': 5,
        'X-Utf8': 'Zürich',
        Authorization: 'Basic YTpi',
        Origin: 'https://example.org',
        'User-Agent': 'mine',
        Referer: 'https://example.org/'
      }
    },
    () => {}
  )
);
scenario('header_empty', (t) => session(t, { url: t.url(), header: {} }, () => {}));
scenario('header_bad_name', (t) => session(t, { url: t.url(), header: { 'bad name': 'x' } }, () => {}));
scenario('header_line_break', (t) => session(t, { url: t.url(), header: { 'X-Token': 'a\r\nX-Evil: b' } }, () => {}));
scenario('header_text', (t) => session(t, { url: t.url(), header: 'X-Token: abc' }, () => {}));

const protocols = (name, list, query) =>
  scenario('protocols_' + name, (t) => session(t, { url: t.url('/echo', query), protocols: list }, () => {}));
protocols('picked', ['chat', 'other'], { protocol: 'other' });
protocols('first', ['chat', 'other'], {});
protocols('none_picked', ['chat', 'other'], { protocol: '' });
protocols('unknown_picked', ['chat'], { protocol: 'unknown' });
protocols('picked_though_none_offered', undefined, { protocol: 'chat' });
protocols('no_list', [], {});
protocols('text', 'chat', {});
protocols('twice', ['chat', 'chat'], {});
protocols('bad_token', ['chat room'], {});
protocols('empty_token', [''], {});
protocols('number', [5], {});

const DEFLATE = 'permessage-deflate';
scenario('deflate_asked_and_agreed', (t) =>
  session(t, { url: t.url('/echo', { extension: DEFLATE, pack: 1 }), perMessageDeflate: true }, async (task) => {
    t.send(task, patternText(5000));
    await t.until('message');
  })
);
scenario('deflate_not_asked', (t) =>
  session(t, t.url(), async (task) => {
    t.send(task, patternText(5000));
    await t.until('message');
  })
);

scenario('cookie', async (t) => {
  const task = await t.open(t.url('/echo', { header: 'Set-Cookie: a=b' }));
  t.close(task, {});
  await closed(t);
  // And it is taken away again: the other scenarios have none.
  const forget = { header: 'Set-Cookie: a=b; Max-Age=0' };
  const second = await t.open(t.url('/echo', forget, { lane: 'second' }), { lane: 'second' });
  t.close(second, {}, { lane: 'second closing' });
  await closed(t, 'second');
});
