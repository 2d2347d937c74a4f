/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The page as a whole: when it asks again, and what an administrator and others see. */

/* global cockpit */

import * as commands from "./commands.js";
import { alert_about, clear_alert } from "./alerts.js";
import { apply_filter, show_counts, show_courses, view } from "./table.js";
import { by_id, command_to_copy, element, foreign, show } from "./elements.js";
import { courses_of } from "./seats.js";
import { follow_theme } from "./theme.js";
import { refresh_findings } from "./findings.js";

/* Seconds between the end of one request and the next. Each request of a user other than root is logged. */
const STATUS = { admin: 3, others: 30 };
const ROSTERS = 60;
const CHECK = 300;

const permission = cockpit.permission({ admin: true });
let rosters = new Map();

/*
 * Returns a function that does something now, and repeats it as long as somebody can see the page. A call while it is being
 * done has it done again afterwards.
 */
function repeated(action, seconds) {
    let timer = null, running = false, again = false;

    async function now() {
        window.clearTimeout(timer);
        again = running;
        if (running)
            return;
        running = true;
        do {
            again = false;
            await action();
        } while (again);
        running = false;
        window.clearTimeout(timer);
        if (!cockpit.hidden)
            timer = window.setTimeout(now, seconds() * 1000);
    }

    cockpit.addEventListener("visibilitychange", () => cockpit.hidden ? window.clearTimeout(timer) : now());
    return now;
}

/* --- courses and seats ---------------------------------------------------------------------------------- */

async function refresh_status() {
    try {
        const courses = courses_of(rosters, await commands.status());

        show_counts(courses);
        show_courses(courses);
        show(by_id("tools"), courses.length > 0);
        clear_alert("status");
    } catch (failure) {
        alert_about("status", failure.message);
    }
}

async function load_rosters() {
    const found = new Map();

    for (const { course, gateway } of (await commands.courses()).courses)
        found.set(course, { gateway, students: (await commands.students(course)).students });
    return found;
}

/* Users who are neither root nor staff may not see rosters, which is no failure: their own seats are in the status. */
async function refresh_rosters() {
    try {
        rosters = await load_rosters();
        clear_alert("rosters");
    } catch (failure) {
        rosters = new Map();
        if (view.admin)
            alert_about("rosters", failure.message);
    }
}

/* --- a server without a course ---------------------------------------------------------------------------- */

function step(item) {
    return element("li", {}, element("p", {}, foreign(item.why)), command_to_copy(item.command));
}

async function refresh_first_steps() {
    const section = by_id("first-steps");
    const needed = view.admin && rosters.size === 0;

    if (needed)
        section.querySelector("ol").replaceChildren(...(await commands.setup()).steps.map(step));
    show(section, needed);
}

/* --- all of it -------------------------------------------------------------------------------------------- */

const update_status = repeated(refresh_status, () => view.admin ? STATUS.admin : STATUS.others);

const update_rosters = repeated(async () => {
    await refresh_rosters();
    await update_status();
    await refresh_first_steps().catch(failure => alert_about("setup", failure.message));
}, () => ROSTERS);

const update_findings = repeated(() => view.admin ? refresh_findings() : show(by_id("check"), false), () => CHECK);

async function begin() {
    view.admin = permission.allowed === true;
    view.refresh = update_status;
    show(by_id("limited"), !view.admin);
    await update_rosters();
    await update_findings();
}

follow_theme();
by_id("filter").addEventListener("input", apply_filter);
by_id("with-down").addEventListener("change", apply_filter);
by_id("tools").addEventListener("submit", event => event.preventDefault());
by_id("check-again").addEventListener("click", update_findings);
permission.addEventListener("changed", begin);
if (permission.allowed !== null)
    begin();
