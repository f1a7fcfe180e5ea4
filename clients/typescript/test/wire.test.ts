// What is sent and read, without a socket.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FenceRefused, Overloaded } from '../src/errors.js';
import { Lines } from '../src/watch.js';
import { Reply, idempotencyKey, lockName, uuid7 } from '../src/wire.js';

test('what would be another path is refused before it is sent', () => {
  const wrong = ['', 'a//b', '../x', 'a/..', 'a/./b', 'a b', 'a?b', 'a#b', 'a%2fb', 'ä', 'a\r\nb', 'a/', 'a\n'];
  for (const text of wrong) assert.throws(() => lockName(text), TypeError, JSON.stringify(text));
});

test('what the gateway takes is taken', () => {
  for (const text of ['a', 'payments/pay_42', 'a.b/..c/~:-', 'x'.repeat(64)]) {
    assert.equal(lockName(text), text);
  }
});

test('a key cannot smuggle a header', () => {
  for (const key of ['', 'k\r\nX-Fence-Token: 9', 'x'.repeat(256), ' k', 'k\n']) {
    assert.throws(() => idempotencyKey(key), TypeError);
  }
});

test('keys of acquires are version 7 and differ', () => {
  assert.match(uuid7(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(uuid7(), uuid7());
});

test('the type of an error goes by its code', () => {
  const stale = new Reply(412, {}, '{"code":"fence_token_stale","ended":"superseded"}').error();
  const full = new Reply(429, { 'retry-after': '3' }, '{"code":"queue_full","retryable":true}').error();

  assert.ok(stale instanceof FenceRefused && stale.ended === 'superseded');
  assert.ok(full instanceof Overloaded && full.retryAfter === 3_000);
});

test("a proxy's answer tells nothing of a write", () => {
  const reply = new Reply(502, {}, '<html>Bad Gateway</html>');

  assert.ok(reply.outcomeUnknown && reply.error().retryable);
});

test('an event that was cut off does not count', () => {
  const lines = new Lines(undefined);
  lines.feed(': connected\nretry: 1000\nid: run-4\n\nevent: granted\nid: run-5\nda');

  lines.restart();

  assert.equal(lines.lastId, 'run-4');
  const again = lines.feed('event: granted\nid: run-5\ndata: {"lock":"a"}\n\n');
  assert.deepEqual(again, [{ kind: 'granted', data: { lock: 'a' }, id: 'run-5' }]);
});

test('parts may end anywhere', () => {
  const raw = 'event: released\r\nid: r-1\r\ndata: {"lock":"b"}\r\n\r\n';
  for (let at = 0; at < raw.length; at += 1) {
    const lines = new Lines(undefined);
    const found = [...lines.feed(raw.slice(0, at)), ...lines.feed(raw.slice(at))];
    assert.deepEqual(found, [{ kind: 'released', data: { lock: 'b' }, id: 'r-1' }], `at ${at}`);
  }
});
