/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs coursenetctl, the only program that the page runs. It decides who may see and do what. */

/* global cockpit */

/* Why a command failed, in its own words. */
export class Failure extends Error {
    constructor(exception, output) {
        super(exception.problem === "not-found" ? "coursenetctl is not installed." : exception.message || String(exception));
        this.output = output || "";
    }
}

/* Resolves to what the command prints. An administrator's session runs it as root, others as the user. */
function run(words, superuser) {
    return new Promise((resolve, reject) => {
        cockpit.spawn(["coursenetctl", ...words], { superuser, err: "message" })
            .then(resolve, (exception, output) => reject(new Failure(exception, output)));
    });
}

async function ask(...words) {
    return JSON.parse(await run(words, "try"));
}

/* Exit status 1 with a document says that something was found. */
async function ask_for_list(...words) {
    try {
        return await ask(...words);
    } catch (failure) {
        if (failure.output)
            return JSON.parse(failure.output);
        throw failure;
    }
}

export const status = () => ask("status", "--json");
export const status_of = target => ask("status", "--json", "--", target);
export const courses = () => ask("roster", "list", "--json");
export const students = course => ask("roster", "list", "--json", "--", course);
export const check = () => ask_for_list("check", "--json");
export const setup = () => ask_for_list("setup", "--json");

/* Of each seat that could not be started, the command writes why. */
export const start = target => run(["start", "--json", "--", target], "require");
export const stop = target => run(["stop", "--json", "--", target], "require");
export const release = target => run(["release", "--json", "--", target], "require");
