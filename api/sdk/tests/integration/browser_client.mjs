// Runs the official JavaScript SDK as a browser does, with realtime updates on, until standard input ends.
// Writes a JSON object in each line: {"open": true}, {"event": data}, {"answer": header}, {"flags": {...}}.
import { createRequire } from 'node:module';

const [, , packages, url, streams, key] = process.argv;
const require = createRequire(`${packages}/package.json`);
const tell = what => process.stdout.write(`${JSON.stringify(what)}\n`);
const { EventSource } = require('eventsource');

// What a browser has and Node hasn't.
globalThis.window = globalThis;
globalThis.EventSource = class extends EventSource {
    constructor(...given) {
        super(...given);
        this.addEventListener('open', () => tell({ open: true }));
        this.addEventListener('environment_updated', event => tell({ event: event.data }));
    }
};

const sdk = require('flagsmith/isomorphic').createFlagsmithInstance();
await sdk.init({
    environmentID: key,
    api: url,
    eventSourceUrl: streams,
    realtime: true,
    fetch: async (...request) => {
        const response = await fetch(...request);
        tell({ answer: response.headers.get('x-flagsmith-document-updated-at') });
        return response;
    },
    onChange: () => {
        const flags = Object.entries(sdk.getAllFlags());
        tell({ flags: Object.fromEntries(flags.map(([name, { enabled, value }]) => [name, [enabled, value]])) });
    },
});
process.stdin.on('end', () => process.exit(0)).resume();
