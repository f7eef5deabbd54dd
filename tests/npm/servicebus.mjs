// A stand-in for Azure Service Bus: `node servicebus.mjs OPTIONS_JSON`. Prints {"amqp", "control"}, the
// ports of AMQP 1.0 and of a small HTTP door through which tests look in and cut connections.
//
// Topics with one subscription each, peek-lock, lock renewal, duplicate detection, dead letters.
// Everything lies in memory.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const rhea = createRequire(import.meta.url)("rhea");
const { message: amqp, types } = rhea;

const options = {
  port: 0,
  topics: ["email", "sms", "letter", "letter-with-receipt", "export"],
  subscription: "worker",
  lockSeconds: 30,
  maxDeliveries: 10,
  duplicateSeconds: 600,
  ...JSON.parse(process.argv[2] ?? "{}"),
};
const BATCH_FORMAT = 0x80013700;
const queues = new Map(); // by the name that a receiver asks for
const topics = new Map();
const sockets = new Set();
let sequence = 0;
let tokenNumber = 0;

for (const name of options.topics) {
  const path = `${name}/Subscriptions/${options.subscription}`;
  const dead = newQueue(`${path}/$DeadLetterQueue`, undefined);
  topics.set(name, {
    name,
    queue: newQueue(path, dead),
    dead,
    known: new Map(),
    received: 0,
    duplicates: 0,
  });
}

function newQueue(path, dead) {
  const queue = { path, dead, ready: [], locked: new Map(), consumers: new Set(), completed: 0 };
  queues.set(path.toLowerCase(), queue);
  return queue;
}

function enqueue(topic, message) {
  topic.received += 1;
  const id = message.message_id;
  if (id !== undefined && id !== null) {
    const seen = topic.known.get(String(id));
    if (seen !== undefined && seen > Date.now() - options.duplicateSeconds * 1000) {
      topic.duplicates += 1;
      return;
    }
    topic.known.set(String(id), Date.now());
  }
  sequence += 1;
  topic.queue.ready.push({ message, sequence, enqueuedAt: Date.now(), deliveries: 0 });
  serve(topic.queue);
}

// Hand out what is ready to whoever gave credit for it, in turns.
function serve(queue) {
  let progress = true;
  while (queue.ready.length && progress) {
    progress = false;
    for (const consumer of queue.consumers) {
      if (consumer.credit > 0 && consumer.sender.is_open() && queue.ready.length) {
        consumer.credit -= 1;
        progress = true;
        deliver(queue, consumer, queue.ready.shift());
      }
    }
  }
}

function deliver(queue, consumer, held) {
  tokenNumber += 1;
  const tag = Buffer.concat([randomBytes(8), Buffer.alloc(8)]);
  tag.writeUInt32BE(tokenNumber, 12);
  const until = Date.now() + options.lockSeconds * 1000;
  queue.locked.set(tag.toString("hex"), { held, until });
  consumer.sender.send(
    {
      ...held.message,
      delivery_count: held.deliveries,
      message_annotations: {
        ...held.message.message_annotations,
        "x-opt-sequence-number": types.wrap_long(held.sequence),
        "x-opt-enqueued-time": types.wrap_timestamp(held.enqueuedAt),
        "x-opt-locked-until": types.wrap_timestamp(until),
      },
    },
    tag,
  );
}

function giveBack(queue, held, { failed }) {
  if (failed) held.deliveries += 1;
  if (queue.dead && held.deliveries >= options.maxDeliveries) {
    const many = `it was handed out ${held.deliveries} times and never completed`;
    bury(queue, held, "MaxDeliveryCountExceeded", many);
    return;
  }
  const place = queue.ready.findIndex((other) => other.sequence > held.sequence);
  queue.ready.splice(place < 0 ? queue.ready.length : place, 0, held);
  serve(queue);
}

function bury(queue, held, reason, description) {
  const properties = { ...held.message.application_properties };
  if (reason !== undefined) properties.DeadLetterReason = reason;
  if (description !== undefined) properties.DeadLetterErrorDescription = description;
  queue.dead.ready.push({
    ...held,
    message: { ...held.message, application_properties: properties },
  });
  serve(queue.dead);
}

function settle(queue, delivery) {
  const token = delivery.tag.toString("hex");
  const lock = queue.locked.get(token);
  const state = delivery.remote_state;
  const kind = state?.constructor.composite_type;
  if (!delivery.remote_settled) {
    const lost = { condition: "com.microsoft:message-lock-lost", description: "the lock is lost" };
    // A rejection that is applied comes back without an error; one with an error was not applied.
    const done = kind === "rejected" ? amqp.rejected({}).described() : state.described();
    delivery.update(true, lock ? done : amqp.rejected({ error: lost }).described());
  }
  if (!lock) return;
  queue.locked.delete(token);
  if (kind === "accepted") queue.completed += 1;
  else if (kind === "modified") giveBack(queue, lock.held, { failed: state.delivery_failed });
  else if (kind === "rejected" && queue.dead) {
    const info = state.error?.info ?? {};
    bury(queue, lock.held, info.DeadLetterReason, info.DeadLetterErrorDescription);
  } else giveBack(queue, lock.held, { failed: false });
}

setInterval(() => {
  for (const queue of queues.values()) {
    for (const [token, lock] of queue.locked) {
      if (lock.until < Date.now()) {
        queue.locked.delete(token);
        giveBack(queue, lock.held, { failed: true });
      }
    }
  }
}, 50).unref();

const container = rhea.create_container({
  sender_options: { treat_modified_as_released: false },
  receiver_options: { autoaccept: false, credit_window: 500 },
});

function address(terminus) {
  return String(terminus?.address ?? "").replace(/^[a-z]+:\/\/[^/]+\//i, "");
}

function refuse(link, path) {
  link.close({ condition: "amqp:not-found", description: `there is no entity ${path}` });
}

container.on("sender_open", ({ sender }) => {
  const path = address(sender.source);
  sender.set_source({ address: path });
  sender.set_target({ address: sender.target?.address });
  sender.local.attach.rcv_settle_mode = sender.rcv_settle_mode;
  const queue = queues.get(path.toLowerCase());
  if (queue) {
    sender.standIn = { queue, sender, credit: 0 };
    queue.consumers.add(sender.standIn);
  } else if (!path.endsWith("$cbs") && !path.endsWith("/$management")) refuse(sender, path);
});

container.on("sender_flow", ({ sender }) => {
  if (!sender.standIn) return;
  sender.standIn.credit = Math.max(0, sender.credit);
  serve(sender.standIn.queue);
});

container.on("sender_draining", ({ sender }) => {
  if (sender.standIn) sender.standIn.credit = 0;
  // The SDK counts a transfer later than rhea does, which makes this negative; rhea would then count
  // down from it for ever.
  sender.credit = Math.max(0, sender.credit);
  sender.set_drained(true);
});

function forget({ sender }) {
  sender?.standIn?.queue.consumers.delete(sender.standIn);
}
container.on("sender_close", forget);

for (const outcome of ["accepted", "rejected", "released", "modified"]) {
  container.on(outcome, ({ sender, delivery }) => {
    if (sender.standIn) settle(sender.standIn.queue, delivery);
  });
}

container.on("receiver_open", ({ receiver }) => {
  const path = address(receiver.target);
  receiver.set_target({ address: receiver.target?.address });
  receiver.set_source({ address: receiver.source?.address });
  receiver.standIn = { path, topic: topics.get(path.toLowerCase()) };
  const known = receiver.standIn.topic || path.endsWith("$cbs") || path.endsWith("/$management");
  if (!known) refuse(receiver, path);
});

container.on("message", ({ receiver, message, delivery, format, connection }) => {
  const { path, topic } = receiver.standIn;
  if (topic) {
    if (format === BATCH_FORMAT) {
      for (const one of parts(amqp.decode(message).body)) enqueue(topic, amqp.decode(one));
    } else enqueue(topic, message);
    delivery.update(true, amqp.accepted().described());
    return;
  }
  delivery.update(true, amqp.accepted().described());
  const reply = path.endsWith("$cbs") ? authorise(message) : manage(path, message);
  const link = connection.find_sender((one) => address(one.source) === path && one.is_open());
  link?.send({
    correlation_id: message.message_id,
    application_properties: path.endsWith("$cbs")
      ? { "status-code": types.wrap_int(reply.code), "status-description": reply.description }
      : {
          statusCode: types.wrap_int(reply.code),
          statusDescription: reply.description ?? "OK",
          ...(reply.condition ? { errorCondition: types.wrap_symbol(reply.condition) } : {}),
        },
    body: reply.body ?? null,
  });
});

// put-token, for an entity or what belongs to it.
function authorise(message) {
  const name = String(message.application_properties?.name ?? "");
  const path = name.replace(/^[a-z]+:\/\/[^/]+\//i, "").replace(/\/\$management$/, "");
  const known = topics.has(path.toLowerCase()) || queues.has(path.toLowerCase());
  return known
    ? { code: 202, description: "Accepted" }
    : { code: 404, description: `there is no entity ${path}` };
}

function parts(body) {
  return body.multiple ? body.content : [body.content];
}

function manage(path, message) {
  const queue = queues.get(path.replace(/\/\$management$/, "").toLowerCase());
  const operation = message.application_properties?.operation;
  if (!queue || operation !== "com.microsoft:renew-lock") {
    return { code: 501, description: `the stand-in does not know ${operation}` };
  }
  const until = Date.now() + options.lockSeconds * 1000;
  const locks = message.body["lock-tokens"].map((uuid) => queue.locked.get(tagOf(uuid)));
  if (locks.some((lock) => !lock)) {
    return {
      code: 410,
      description: "the lock is lost",
      condition: "com.microsoft:message-lock-lost",
    };
  }
  for (const lock of locks) lock.until = until;
  const expirations = types.wrap_array(
    locks.map(() => until),
    0x83,
  );
  return { code: 200, body: types.wrap_map({ expirations }) };
}

// A lock token is the tag read as a GUID: its first three groups are little-endian there.
function tagOf(uuid) {
  const bytes = Buffer.from(uuid);
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes.toString("hex");
}

container.on("connection_close", () => {});
container.on("disconnected", ({ connection }) => {
  for (const queue of queues.values()) {
    for (const consumer of queue.consumers) {
      if (consumer.sender.connection === connection) queue.consumers.delete(consumer);
    }
  }
});
for (const quiet of ["error", "protocol_error", "connection_error", "session_error"]) {
  container.on(quiet, () => {});
}

function body(message) {
  const content = message.body;
  const bytes = content?.content ? Buffer.concat(parts(content)) : Buffer.from(String(content));
  return bytes.toString("utf8");
}

function counts(queue) {
  return { ready: queue.ready.length, locked: queue.locked.size, completed: queue.completed };
}

function state() {
  const described = [...topics.values()].map((topic) => [
    topic.name,
    {
      ...counts(topic.queue),
      dead: topic.dead.ready.length + topic.dead.locked.size,
      received: topic.received,
      duplicates: topic.duplicates,
      messages: topic.queue.ready.slice(0, 1000).map((held) => shown(held)),
      deadLetters: topic.dead.ready.map((held) => shown(held)),
    },
  ]);
  return { topics: Object.fromEntries(described), connections: sockets.size };
}

function shown(held) {
  const properties = held.message.application_properties ?? {};
  return {
    id: held.message.message_id,
    body: body(held.message),
    sequence: held.sequence,
    deliveries: held.deliveries,
    reason: properties.DeadLetterReason,
    description: properties.DeadLetterErrorDescription,
  };
}

// As new, but for the connections: tests share one.
function reset() {
  for (const queue of queues.values()) {
    queue.ready.length = 0;
    queue.locked.clear();
    queue.completed = 0;
  }
  for (const topic of topics.values()) {
    topic.known.clear();
    topic.received = 0;
    topic.duplicates = 0;
  }
  return {};
}

function cut() {
  const count = sockets.size;
  for (const socket of sockets) socket.destroy();
  return { cut: count };
}

let server;
function listen(port) {
  return new Promise((resolve) => {
    server = container.listen({ port, host: "127.0.0.1", require_sasl: false });
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => sockets.delete(socket));
    });
    server.on("listening", () => resolve(server.address().port));
  });
}

container.sasl_server_mechanisms.enable_anonymous();
const port = await listen(options.port);

const control = createServer(async (request, response) => {
  let answer = { error: "no such command" };
  const path = request.url.split("?")[0];
  if (path === "/state") answer = state();
  else if (path === "/reset") answer = reset();
  else if (path === "/cut") answer = cut();
  else if (path === "/down") {
    server.close();
    answer = cut();
  } else if (path === "/up") answer = { port: await listen(port) };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});
control.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ amqp: port, control: control.address().port }));
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
