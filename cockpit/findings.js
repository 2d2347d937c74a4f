/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What `coursenetctl check` finds. The page shows a remedy to be copied, and never runs it. */

import * as commands from "./commands.js";
import { alert_about, clear_alert } from "./alerts.js";
import { by_id, command_to_copy, counted, element, foreign, set_text, show } from "./elements.js";

/* A remedy that begins like this is a command; others are sentences. */
const COMMAND = /^(apt|chmod|chown|coursenetctl|pam-auth-update|setcap|sysctl|systemctl|useradd|usermod) /;

function remedy(text) {
    if (!text)
        return "";
    return COMMAND.test(text) ? command_to_copy(text) : foreign(text);
}

function row(finding) {
    const severity = element("td", {}, element("span", { class: `badge ${finding.severity}` }, finding.severity));

    return element("tr", {}, severity, element("td", {}, foreign(finding.file)), element("td", {}, finding.line === null ? "" : String(finding.line)),
        element("td", {}, foreign(finding.text)), element("td", {}, remedy(finding.remedy)));
}

function summary(findings) {
    const errors = findings.filter(finding => finding.severity === "error").length;

    if (findings.length === 0)
        return "Nothing is wrong.";
    return `${counted(errors, "error")}, ${counted(findings.length - errors, "warning")}.`;
}

let former = "";

function show_findings(findings) {
    const details = by_id("check").querySelector("details");
    const text = JSON.stringify(findings);

    set_text(by_id("check-result"), summary(findings));
    show(details, findings.length > 0);
    if (text === former)
        return;
    former = text;
    details.querySelector("tbody").replaceChildren(...findings.map(row));
    /* Warnings are there for long on many servers, and would push the seats out of sight. */
    details.open = findings.some(finding => finding.severity === "error");
}

export async function refresh_findings() {
    show(by_id("check"), true);
    try {
        show_findings((await commands.check()).findings);
        clear_alert("check");
    } catch (failure) {
        alert_about("check", failure.message);
    }
}
