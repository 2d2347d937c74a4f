/* SPDX-License-Identifier: LGPL-2.1-or-later */

import { by_id, set_text } from "./elements.js";

/* Asks before something is done that cannot be undone. Resolves to whether the answer is yes. */
export function ask_first(title, text, yes) {
    const dialog = by_id("question");

    set_text(by_id("question-title"), title);
    set_text(dialog.querySelector("p"), text);
    set_text(dialog.querySelector("[value=yes]"), yes);
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise(resolve => {
        dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
}
