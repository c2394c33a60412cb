// Runs one task with the official Node SDK: a task as JSON on standard input, flags as JSON on standard output.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const { Flagsmith } = createRequire(`${process.argv[2]}/package.json`)('flagsmith-nodejs');
const task = JSON.parse(readFileSync(0, 'utf8'));
const sdk = new Flagsmith({
    apiUrl: task.url,
    environmentKey: task.key,
    enableLocalEvaluation: task.local,
    enableAnalytics: 'report' in task,
    environmentRefreshIntervalSeconds: 3600,
});
const triples = flags => flags.allFlags().map(flag => [flag.featureName, flag.enabled, flag.value]);
const answers = [];

if (task.environment) {
    answers.push(triples(await sdk.getEnvironmentFlags()));
}
for (const [identifier, traits] of task.identities ?? []) {
    answers.push(triples(await sdk.getIdentityFlags(identifier, traits)));
}
if ('report' in task) {
    const flags = await sdk.getEnvironmentFlags();
    for (let i = 0; i < task.count; i++) {
        flags.isFeatureEnabled(task.report);
    }
    await sdk.analyticsProcessor.flush();
}
await sdk.close();
process.stdout.write(JSON.stringify(answers));
