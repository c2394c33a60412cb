// Runs one task with OpenFeature's JavaScript SDKs and their OFREP providers: a task as JSON on standard input,
// what the SDKs say as JSON on standard output.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const load = createRequire(`${process.argv[2]}/package.json`);
const task = JSON.parse(readFileSync(0, 'utf8'));
const headers = [['X-API-Key', task.key]];
const said = ({ value, reason, variant, errorCode }) => ({ value, reason, variant, errorCode });
const read = {
    string: (client, name, context) => client.getStringDetails(name, 'default', context),
    number: (client, name, context) => client.getNumberDetails(name, -1, context),
    boolean: (client, name, context) => client.getBooleanDetails(name, false, context),
    object: (client, name, context) => client.getObjectDetails(name, {}, context),
};

async function onServer() {
    // A flag at a time, each for its own context.
    const { OpenFeature } = load('@openfeature/server-sdk');
    const { OFREPProvider } = load('@openfeature/ofrep-provider');
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: task.url, headers }));
    const client = OpenFeature.getClient();
    const answers = task.reads.map(async ([type, name]) => said(await read[type](client, name, task.context)));
    return { streams: [], answers: await Promise.all(answers) };
}

async function inBrowser() {
    // All flags at once, for the one context that there is.
    const streams = [];
    globalThis.EventSource = class extends EventTarget {
        constructor(url) {
            super();
            streams.push(url);
        }
        close() {}
    };
    const { OpenFeature } = load('@openfeature/web-sdk');
    const { OFREPWebProvider } = load('@openfeature/ofrep-web-provider');
    await OpenFeature.setContext(task.context);
    await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: task.url, headers, pollInterval: -1 }));
    const client = OpenFeature.getClient();
    return { streams, answers: task.reads.map(([type, name]) => said(read[type](client, name))) };
}

process.stdout.write(JSON.stringify(await (task.kind === 'web' ? inBrowser() : onServer())));
process.exit(0);
