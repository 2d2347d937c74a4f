/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libical reads the events and knows the rules of recurrence. */

#include <libical/ical.h>
#include <stdint.h>

#include "reduced-text.h"
#include "timetable.h"
#include "zone.h"

/* An event that stands for one date of another one: RECURRENCE-ID. */
struct replaced {
        const char *uid; /* borrowed */
        time_t start;    /* of the date that it replaces */
};

struct expansion {
        time_t from, until;
        timetable_class_t found;
        void *userdata;
        struct replaced *replaced;
        size_t n_replaced;
        unsigned n_found;
        struct mistake *mistake;
};

/* --- events ---------------------------------------------------------------------------------- */

static time_t to_time(struct icaltimetype value) {
        struct tm tm = {
                .tm_year = value.year - 1900,
                .tm_mon = value.month - 1,
                .tm_mday = value.day,
                .tm_hour = value.hour,
                .tm_min = value.minute,
                .tm_sec = value.second,
                .tm_isdst = -1,
        };

        return value.zone ? icaltime_as_timet_with_zone(value, value.zone) : mktime(&tm);
}

static const char *text_or_empty(const char *text) {
        return text ? text : "";
}

static unsigned line_of(icalcomponent *event) {
        icalproperty *property = icalcomponent_get_first_property(event, ICAL_X_PROPERTY);

        for (; property; property = icalcomponent_get_next_property(event, ICAL_X_PROPERTY))
                if (string_equal(text_or_empty(icalproperty_get_x_name(property)), LINE_PROPERTY))
                        return (unsigned)strtoul(text_or_empty(icalproperty_get_x(property)), NULL, 10);
        return 0;
}

static bool is_class(icalcomponent *event) {
        icalproperty *free = icalcomponent_get_first_property(event, ICAL_TRANSP_PROPERTY);

        return icalcomponent_get_status(event) != ICAL_STATUS_CANCELLED &&
               !(free && icalproperty_get_transp(free) == ICAL_TRANSP_TRANSPARENT);
}

/* --- dates of an event ----------------------------------------------------------------------- */

static bool is_replaced(const struct expansion *expansion, icalcomponent *event, time_t start) {
        for (size_t i = 0; i < expansion->n_replaced; i++)
                if (expansion->replaced[i].start == start &&
                        string_equal(expansion->replaced[i].uid, text_or_empty(icalcomponent_get_uid(event))))
                        return true;
        return false;
}

static int emit(struct expansion *expansion, icalcomponent *event, time_t start, time_t length) {
        if (length <= 0 || length > CLASS_SECONDS_MAX || start >= expansion->until ||
                start + length <= expansion->from)
                return 0;
        if (expansion->n_found++ == CLASSES_MAX)
                return mistake_set(expansion->mistake, line_of(event),
                        "there are too many classes: with this "
                        "event more than " STRINGIFY(CLASSES_MAX));
        expansion->found(
                expansion->userdata, start, start + length, text_or_empty(icalcomponent_get_summary(event)));
        return 0;
}

/* What recurs. */
struct series {
        icalcomponent *event;
        struct icaltimetype first;
        time_t length;
};

static int emit_date(
        struct expansion *expansion, const struct series *series, struct icaltimetype when, time_t length) {
        struct icaltimetype first = series->first;
        time_t start = to_time(when);

        if (icalproperty_recurrence_is_excluded(series->event, &first, &when) ||
                is_replaced(expansion, series->event, start))
                return 0;
        return emit(expansion, series->event, start, length);
}

/* A last day includes its classes. The standard wants a time there, but not all programs write one. */
static struct icalrecurrencetype read_rule(icalproperty *property, const icaltimezone *zone) {
        struct icalrecurrencetype rule = icalproperty_get_rrule(property);

        if (rule.until.is_date) {
                rule.until.is_date = false;
                icaltime_adjust(&rule.until, 1, 0, 0, -1);
                rule.until.zone = zone;
        }
        return rule;
}

static int expand_rule(struct expansion *expansion, const struct series *series, icalproperty *property) {
        icalrecur_iterator *iterator =
                icalrecur_iterator_new(read_rule(property, series->first.zone), series->first);
        unsigned n = 0;
        int r = 0;

        if (!iterator)
                return mistake_set(expansion->mistake, line_of(series->event),
                        "the rule of this event stands for no date");
        while (r >= 0) {
                struct icaltimetype when = icalrecur_iterator_next(iterator);

                when.zone = series->first.zone;
                if (icaltime_is_null_time(when) || to_time(when) >= expansion->until)
                        break;
                if (n++ == CLASSES_MAX)
                        r = mistake_set(expansion->mistake, line_of(series->event),
                                "the rule of this event stands for more than " STRINGIFY(
                                        CLASSES_MAX) " dates");
                /* The first one is the event itself. */
                else if (icaltime_compare(when, series->first) != 0)
                        r = emit_date(expansion, series, when, series->length);
        }
        icalrecur_iterator_free(iterator);
        return r;
}

/* A date, or a period with a length of its own. */
static int expand_date(struct expansion *expansion, const struct series *series, icalproperty *property) {
        struct icaldatetimeperiodtype date = icalproperty_get_rdate(property);
        struct icaltimetype when = icalproperty_get_datetime_with_component(property, series->event);
        time_t length = series->length;

        if (icaltime_is_null_time(date.time)) {
                struct icaltimetype end = date.period.end;

                if (icaltime_is_null_time(end))
                        end = icaltime_add(date.period.start, date.period.duration);
                length = to_time(end) - to_time(date.period.start);
                when = date.period.start;
                if (!when.zone)
                        when.zone = series->first.zone;
        } else if (series->first.zone)
                when = icaltime_convert_to_zone(when, (icaltimezone *)(uintptr_t)series->first.zone);
        return emit_date(expansion, series, when, length);
}

typedef int (*expand_t)(struct expansion *expansion, const struct series *series, icalproperty *property);

/* The properties are listed first, because libical uses the iterator of the event to look for exceptions. */
static int expand_each(
        struct expansion *expansion, const struct series *series, icalproperty_kind kind, expand_t expand) {
        size_t n = (size_t)icalcomponent_count_properties(series->event, kind);
        _cleanup_free_ icalproperty **properties = calloc(n + 1, sizeof(icalproperty *));
        int r = 0;

        if (!properties)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                properties[i] = i == 0 ? icalcomponent_get_first_property(series->event, kind)
                                       : icalcomponent_get_next_property(series->event, kind);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = expand(expansion, series, properties[i]);
        return r;
}

static int expand_event(struct expansion *expansion, icalcomponent *calendar, icalcomponent *event) {
        struct series series = {event, icalcomponent_get_dtstart(event), 0};
        struct icaltimetype end = icalcomponent_get_dtend(event);
        int r;

        (void)calendar;
        if (icaltime_is_null_time(series.first))
                return mistake_set(expansion->mistake, line_of(event), "this event has no DTSTART");
        if (icaltime_is_null_time(end) || series.first.is_date || !is_class(event))
                return 0;
        series.length = to_time(end) - to_time(series.first);
        if (icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY))
                return emit(expansion, event, to_time(series.first), series.length);
        r = emit_date(expansion, &series, series.first, series.length);
        if (r >= 0)
                r = expand_each(expansion, &series, ICAL_RRULE_PROPERTY, expand_rule);
        if (r >= 0)
                r = expand_each(expansion, &series, ICAL_RDATE_PROPERTY, expand_date);
        return r;
}

/* --- the calendar ---------------------------------------------------------------------------- */

static int settle_zones(struct expansion *expansion, icalcomponent *calendar, icalcomponent *event) {
        icalproperty *property = icalcomponent_get_first_property(event, ICAL_ANY_PROPERTY);
        const char *name;

        for (; property; property = icalcomponent_get_next_property(event, ICAL_ANY_PROPERTY)) {
                int r = zone_settle(calendar, property, &name);

                if (r < 0)
                        return mistake_set(expansion->mistake, line_of(event),
                                r == -ENOENT
                                        ? "there is no time zone '%.100s', and the file does not define it"
                                        : "the file defines the time zone '%.100s' and not how its clocks go",
                                name);
        }
        return 0;
}

static int note_replaced(struct expansion *expansion, icalcomponent *calendar, icalcomponent *event) {
        icalproperty *property = icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY);
        struct replaced *more;

        (void)calendar;
        if (!property)
                return 0;
        if (icalproperty_get_first_parameter(property, ICAL_RANGE_PARAMETER))
                return mistake_set(expansion->mistake, line_of(event),
                        "a change of a date and all that follow (RANGE=THISANDFUTURE) is not supported");
        more = reallocarray(expansion->replaced, expansion->n_replaced + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        expansion->replaced = more;
        more[expansion->n_replaced++] = (struct replaced){text_or_empty(icalcomponent_get_uid(event)),
                to_time(icalproperty_get_datetime_with_component(property, event))};
        return 0;
}

typedef int (*visit_t)(struct expansion *expansion, icalcomponent *calendar, icalcomponent *event);

static int each_event(icalcomponent *calendar, struct expansion *expansion, visit_t visit) {
        /* An iterator of our own, because libical uses that of the calendar to look for a zone. */
        icalcompiter part = icalcomponent_begin_component(calendar, ICAL_VEVENT_COMPONENT);
        int r = 0;

        for (; r >= 0 && icalcompiter_deref(&part); (void)icalcompiter_next(&part))
                r = visit(expansion, calendar, icalcompiter_deref(&part));
        return r;
}

/* If there is more than one calendar in a file, libical puts them below another component. */
static int each_calendar(icalcomponent *root, struct expansion *expansion, visit_t visit) {
        icalcompiter part = icalcomponent_begin_component(root, ICAL_VCALENDAR_COMPONENT);
        int r = 0;

        if (icalcomponent_isa(root) == ICAL_VCALENDAR_COMPONENT)
                return each_event(root, expansion, visit);
        for (; r >= 0 && icalcompiter_deref(&part); (void)icalcompiter_next(&part))
                r = each_event(icalcompiter_deref(&part), expansion, visit);
        return r;
}

int timetable_read(const char *text, time_t from, time_t until, timetable_class_t found, void *userdata,
        struct mistake *ret_mistake) {
        struct expansion expansion = {
                .from = from, .until = until, .found = found, .userdata = userdata, .mistake = ret_mistake};
        _cleanup_free_ char *reduced = NULL;
        icalcomponent *root;
        int r;

        r = reduced_text_make(text, &reduced, ret_mistake);
        if (r < 0)
                return r;
        root = icalparser_parse_string(reduced);
        if (!root)
                return -ENOMEM;
        r = each_calendar(root, &expansion, settle_zones);
        if (r >= 0)
                r = each_calendar(root, &expansion, note_replaced);
        if (r >= 0)
                r = each_calendar(root, &expansion, expand_event);
        free(expansion.replaced);
        icalcomponent_free(root);
        return r;
}
