// A receiver that verifies our signatures with npm's standardwebhooks.
// usage: node verify_signature.mjs WEBHOOK_SENDER, in a folder whose node_modules has standardwebhooks
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { randomBytes } from "node:crypto";

const { Webhook } = createRequire(process.cwd() + "/")("standardwebhooks");
const secret = "whsec_" + randomBytes(24).toString("base64");
const other = "whsec_" + randomBytes(24).toString("base64");
let outcome = "nothing came";

const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (part) => (body += part));
    request.on("end", () => {
        try {
            const event = new Webhook(secret).verify(body, request.headers);
            outcome = event.type === "SiteCreated" ? "verified" : "another event came";
            try {
                new Webhook(secret).verify(body + " ", request.headers);
                outcome = "a changed body verified as well";
            } catch {}
        } catch (error) {
            outcome = String(error);
        }
        response.writeHead(outcome === "verified" ? 204 : 400).end();
    });
});
server.listen(0, "127.0.0.1", () => {
    const url = `http://127.0.0.1:${server.address().port}/hook`;
    const environment = { ...process.env, SECRET: secret, OTHER: other };
    const sender = spawn(process.argv[2], [url, "env:OTHER", "env:SECRET"], { env: environment, stdio: "inherit" });
    sender.on("exit", (status) => {
        console.log(outcome);
        process.exit(status === 0 && outcome === "verified" ? 0 : 1);
    });
});
