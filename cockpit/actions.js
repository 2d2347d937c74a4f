/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the buttons do. A target is a course or a seat; named is how a question calls it. */

import * as commands from "./commands.js";
import { alert_about, clear_alert } from "./alerts.js";
import { ask_first } from "./question.js";
import { count } from "./seats.js";
import { counted } from "./elements.js";

async function attempt(target, action) {
    try {
        await action();
        clear_alert(target);
    } catch (failure) {
        alert_about(target, failure.message);
    }
}

export function start_seat(target) {
    return attempt(target, () => commands.start(target));
}

export function start_course(target, named, n_seats) {
    return attempt(target, async () => {
        if (await ask_first(`Start ${named}?`, `This starts ${counted(n_seats, "seat")} and keeps them up until they are stopped or the server restarts.`, "Start"))
            await commands.start(target);
    });
}

/* Counts at the last moment what would end, because students come and go. */
export function stop(target, named) {
    return attempt(target, async () => {
        const status = await commands.status_of(target);
        const now = count(status.courses.flatMap(course => course.seats));
        const text = `This ends ${counted(now.logins, "login")} and ${counted(now.held, "hold")}. ` +
            "Students who are logged in lose the network or their programs. They can log in again at once.";

        if (await ask_first(`Stop ${named}?`, text, "Stop"))
            await commands.stop(target);
    });
}

export function release(target) {
    return attempt(target, () => commands.release(target));
}
