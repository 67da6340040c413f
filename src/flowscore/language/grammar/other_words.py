"""The words that other tools use for ours: HubSpot, ActiveCampaign, Customer.io, Klaviyo …"""

from __future__ import annotations

from collections.abc import Iterator

# Ours, and theirs for it; where the same word of theirs means several of ours, see below.
THEIRS = """
# Kinds and definitions
scenario: workflow automation campaign journey program sequence
score: scoring scoring_model lead_score model score_reached score_changed points_changed
    lead_score_changed
list: smart_list static_list
policy: settings config
grade: matrix grading lead_grade lead_grading rating lead_rating tier grid grade_reached
    grade_is lead_grade_changed grading_model
lifecycle: funnel pipeline lifecycle_stages buyer_journey lead_lifecycle sales_funnel lead_pipeline
    sales_pipeline customer_lifecycle
fit: profile demographic demographics firmographic firmographics profile_score fit_score explicit
    profile_grade
engagement: engagement_score interest implicit interest_score
axis: direction reverse reversed invert inverted
green: highlight highlighted sales_ready call_first ready hot_cells priority_cells target_cells
stage: lifecycle_stage lead_status lead_stage pipeline_stage deal_stage funnel_stage stage_changed
    lifecycle_stage_changed phase lifecycle stage_is lead_status_changed has_stage stage_entered
    customer_stage
stages: phases statuses pipeline_stages funnel_stages
retreat: fallback fall_back regress demote reversible drop_back step_back revert can_fall_back
    allow_regression
name: variant variation path
description: comment note notes summary title
objective: purpose
enabled: active disabled live paused is_active published draft on_off enable disable
trigger: on triggers starts_when enrollment_trigger enrolment_trigger entry
    entry_rule entry_event entry_source enters_when triggered_by starting_condition enrollment
    enroll_when
conditions: only_if requires entry_conditions entry_filters trigger_filters profile_filters
    audience_conditions if_conditions eligibility
members: query
actions: action tasks workflow_steps blocks nodes sequence_steps elements path_steps
goal: goals conversion conversion_goal success success_metric success_criteria conversion_event
    objective target conversion_criteria goal_criteria
exit_when: exit_criteria exit_conditions unenroll_when exit_rules exit_if exit_on exit remove_when
    unenrollment unenrollment_triggers stop_when stop_if end_when leave_when exit_event early_exit
    exit_condition cancel_if cancel_when ends_when
holdout: control_group control control_share holdout_group global_holdout test_group holdback
    hold_out control_percentage universal_holdout
reenroll: re_enroll re_enrollment reenrollment allow_reenrollment reentry re_enter allow_repeat
    allow_reentry reenrol re_entry once multiple recurrence re_enrolment runs trigger_once
    run_once entry_limit re_eligibility
enroll_existing: backfill include_existing enroll_current existing_contacts enroll_all catch_up
    retroactive
priority: rank importance precedence
# Conditions and triggers
all: and all_of
any: or any_of
not: none none_of nor did_not except exclude_if
attribute: property contact contact_property field trait date_field date_attribute contact_date
    column property_changed field_changed field_change property_change contact_updated
    value_changed attribute_change profile_updated attribute_updated contact_property_changed
company: account organization organisation company_property company_attribute firm employer
    associated_company
in_list: member_of in_segment list_member list_membership has_tag tagged in_audience membership
    on_list is_member segment_membership part_of has_lists
list_joined: tag_added joined_list joins_list enters_segment segment_entered joins_segment
    enters_list added_to_list segment_joined enters_audience list_entered subscribes_to_list
    added_to_segment tag_is_added audience_joined
list_left: tag_removed left_list leaves_list leaves_segment segment_left exits_segment
    removed_from_list leaves_audience list_exited
event: did performed custom_event track has_event has_done event_occurred event_triggered
    did_event submitted_form form_submitted form_submission form
    purchase placed_order ordered completed_event metric
no_event: abandoned abandonment not_done did_not_happen missing_event event_missing cart_abandoned
    absence
this_event: trigger_event current_event triggering_event entered_with entry_event_property
    event_data enrolling_event trigger_property trigger_properties
page_visited: page_view page_viewed visited visited_page visits_page
email_sent: received_email sent was_sent email_received email_delivered
email_opened: opened opened_email
email_clicked: clicked click clicked_email link_clicked
email_replied: replied answered responded email_responded replied_to_email
email_bounced: bounced bounce hard_bounced undelivered
email_not_opened: unopened not_opened ignored has_not_opened did_not_open email_ignored
email_not_clicked: not_clicked unclicked has_not_clicked did_not_click
template: campaign_name email_template template_name template_id message_id email_name subject
topic: category subscription
link: link_url clicked_link
machine: bot
inactive: idle not_active no_activity last_activity last_seen dormant silent not_seen
    no_behavior
consent: subscribed_to can_mail double_opt_in legal_basis gdpr permission subscribed is_subscribed
    can_receive email_consent marketable unsubscribed
subscribed: subscribes opts_in subscribed_to_topic subscription_created newsletter_signup
    consent_given
unsubscribed: unsubscribes opts_out consent_revoked
random: random_sample coin random_percentage chance probability sampling
contact_created: created contact_added new_contact signup
date: anniversary birthday date_based on_date date_reached specific_date contact_date_field
    date_trigger relative_date
schedule: cron scheduled timer daily weekly every_day calendar at_date
manual: api api_triggered by_hand manually on_demand
# What stands inside them
reaches: above crosses rises_to reach hits exceeds goes_above rises_above crosses_above
    over_or_equal
falls_to: at_most below drops_to drops_below falls_below goes_below crosses_below sinks_to
    decreases_to
gains: wins earns increases_by gained won increase rises_by grows_by velocity increased_by
to: new_value ends end_time closes close end_at latest recipients recipient send_to
    user emails notify_to receiver who after_value current new
from: old_value begin start_time opens begins start_at earliest previous was before_value old
at_least: ge min minimum greater_or_equal >=
at_most: le maximum less_or_equal <=
above: greater_than more_than >
below: less_than under <
is: eq equals equal = ==
is_not: ne neq not_equals !=
in: is_any_of
not_in: is_none_of nin
contains: like includes
starts_with: begins_with prefix
ends_with: suffix
matches: regex regexp pattern
exists: is_known is_set has_value known is_unknown is_empty
within: in_last in_the_last newer_than during timeframe
ahead: in_next
older_than: more_than_ago not_within more_than_days_ago ago earlier_than at_least_ago not_in_last
    before_last
since: since_entry since_enrollment since_entering since_start after_entry since_entered
    from_entry
same: match_on correlate correlate_by same_as group_by same_property equals_trigger match_property
    join_on per_property
where: where_property property_filters with having
times: at_times occurrences how_many at_least_times min_times number_of_times minimum_count
sum: total sum_of aggregate total_value sum_where value_sum sums adds_up_to
after: anchor following
offset: before_after days_before days_after shift relative delta lead_time in_advance ahead_of
    after
every: repeats yearly annually annual
up_to: timeout time_limit max_wait wait_up_to deadline max_time within
    conversion_window attribution_window max_duration time_out no_longer_than before
# Actions
add_points: score_points adjust_score increase_score
subtract_points: decrease_score remove_points deduct_points
points: worth
reset_score: clear_score reset_points zero_score reset_lead_score set_score
add_to_list: tag add_tag add_list join_list
remove_from_list: untag remove_tag leave_list
move_to_list: move
set_stage: set_lifecycle_stage change_stage move_stage update_stage set_status
    update_lifecycle_stage change_lifecycle_stage move_to_stage set_lead_status advance_stage
    promote update_lead_status set_lifecycle
back: backward backwards allow_back downgrade force allow_backward allow_downgrade
enters: entered moves_to moves_into changes_to enter_cell moved_to
set_attribute: update_property update_contact set_property set update set_field clear_property
    copy_property update_profile update_attribute set_property_value set_trait identify
    edit_contact change_field
subscribe: grant_consent add_subscription set_subscription
unsubscribe: revoke_consent remove_subscription unsubscribe_all unsubscribe_from_all
send_email: send send_mail email_contact send_message send_template send_campaign
unless_late_by: max_lateness skip_if_late
notify: alert notify_owner internal_email send_notification send_internal_notification
    send_internal_email notification internal_notification email_owner notify_team email_team
webhook: http http_request http_post call_webhook post api_call rest zapier call send_webhook
url: endpoint uri webhook_url
body: payload data json content params parameters fields custom_body
headers: auth token authorization custom_headers http_headers authentication api_key
assign_owner: assign set_owner rotate_owner rotate rotate_record rotate_lead owner
    set_contact_owner reassign
round_robin: rotation rotate_among owners random_owner
wait: sleep pause time_delay hold pause_for
until: at clock next
days: weekday weekdays on_days day day_of_week days_of_week on_day
wait_for: listen wait_for_event wait_for_trigger await until_event
if: if_else if_then branch conditional_split decision switch true_false value_branch branch_if
    condition_split check true_false_branch
then: yes true yes_branch if_true on_success matched
else: no false otherwise else_if elif no_branch on_timeout timed_out if_false
split: ab_test a_b_test random_split experiment percentage_split multi_split random cohort
    random_branch variants test multivariate weighted_split
share: ratio
enroll: start_workflow enrol start_automation enter_automation trigger_workflow add_to_workflow
    add_to_campaign add_to_journey add_to_sequence add_to_flow add_to_automation start_scenario
    run_scenario enroll_in_workflow enter start_flow start_journey
exit: stop end_automation exit_journey quit finish exit_flow end_flow unenroll_from_workflow
    exit_with terminate
# Scores and the policy
cap: max_times
bands: levels thresholds tiers
because: justification
decay: score_decay decay_rate degrade degradation point_decay points_decay fade aging ageing
    depreciation expiration time_decay score_degradation decays fading expires_at expiry
expire: lifetime ttl time_to_live valid_for expire_all
half_life: halflife half_time halving half exponential half_life_days
linear: linearly linear_decay straight_line evenly
step: stepwise steps_down percentage_decay percent_decay monthly
lose: loss loses decrease_by decrease reduce_by reduce drop_by rate minus deduct loose
reset: to_zero set_to_zero reset_to reset_to_zero
scale: display_scale normalize normalise scaled_to show_as
of: per_company scope level entity applies_to object_type belongs_to
decay_every: decay_interval decay_frequency decay_schedule recalculate_every decay_time
    decay_period
per: every days hours timespan time_period rolling
timezone: tz time_zone zone default_timezone account_timezone time_zone_id
sender: from from_field
reply_to: replyto
topics: subscriptions categories subscription_types subscription_groups message_topics
    email_topics subscription_topics preferences
suppress: suppression exclusions exclude suppression_list suppression_lists suppressed blocklist
    blacklist do_not_mail do_not_email never_mail excluded global_suppression
frequency_cap: frequency_limit throttle smart_sending message_limit rate_limit fatigue email_limit
    frequency_capping sending_limit max_emails contact_limit pressure marketing_pressure caps
emails: max_messages messages sends mails max_sends quantity times
when_capped: on_cap if_capped when_limited on_limit capped
wait_up_to: wait max_delay retry_for defer delay_up_to
send_window: quiet_hours schedule_window business_hours send_time sending_hours delivery_window
    do_not_disturb send_hours delivery_hours office_hours time_window sending_window dnd
pause_when: pause_if auto_pause bounce_limit stop_sending circuit_breaker stop_sending_when
    kill_switch halt_when
bounces: bounce_rate hard_bounces
complaints: spam complaint_rate spam_complaints spam_rate
of_last: sample_size out_of last_mails of last_emails
"""

# Theirs, and what it means: the first of ours that is known at the place.
DEPENDING = """
segment: list in_list
audience: list in_list
group: list company
flow: scenario actions
when: trigger conditions if
start: trigger from
filters: conditions where members
filter: conditions where members
condition: conditions if
criteria: conditions members when
rules: members conditions
where: conditions members
repeat: reenroll every
do: actions then
one_of: any in
gte: at_least reaches
link: path
lte: at_most falls_to
max: at_most emails
gt: above reaches
over: above of_last
lt: below falls_to
value: is to
since: within after
last: within of_last
window: within up_to
period: within per every
interval: per every
inactivity: inactive idle
inactive: idle
behavior: event engagement
behaviour: event engagement
activity: event engagement
expires: expire decay up_to
expire_after: expire decay up_to
expires_after: up_to expire decay
expires_in: up_to expire decay
changed_to: to enters
to: enters stage
reaches: at_least enters
entry_criteria: trigger when
requirements: conditions when
qualifies: when conditions
qualifies_when: when conditions
conditions: members when
if: when conditions
name: stage template
status: enabled stage
order: priority axis
steps: actions stages
duration: within after
desc: description descending
asc: ascending
count: times emails of_last
frequency: times frequency_cap every
properties: attribute where
list: in_list list_joined
page: page_visited path
url: path page_visited link
open: email_opened from
opted_in: consent subscribed
at_least: reaches times
email: template send_email consent
mail: template send_email
message: template send_email
delay: wait offset
wait_until: wait_for wait
end: exit to
unenroll: exit exit_when
key: id same
label: name id
weight: points share priority
amount: points sum lose
limit: cap emails
reason: because reason
from_name: name sender
from_email: address sender
from_address: address sender
reply: reply_to email_replied
opt_in: consent subscribe subscribed
wait_till: wait_for wait
hold_until: wait_for wait
sleep_until: wait_for wait
percentage: share random lose
percent: share random lose
users: round_robin to
team: round_robin to
opt_out: unsubscribe unsubscribed
optout: unsubscribe unsubscribed
optin: subscribe subscribed consent
marketing_status: subscribe consent
enrollment_criteria: trigger conditions
unless: conditions not
for: up_to within
wait_max: up_to wait_up_to
by: up_to same lose
lists: in_list topics
sender_email: address sender
email_address: address to
number: emails times
time_frame: within per
till: to until
until: to up_to
sample: of_last random
time: until at
time_of_day: until at
hour: until at
at_time: until at
date_property: attribute date
event_property: property this_event
recurring: every schedule
send_at: at until
address: url to
href: link url
text: template reason
match: same where
matching: same where
attributes: where attribute
event_properties: this_event where
opted_out: consent unsubscribed
has_not_done: no_event not
not_visited: no_event not
points: score points
no_response: no_event email_not_opened
becomes: reaches to enters
is: to at_least enters
"""


def other_words() -> dict[str, list[str]]:
    """Each word of theirs with ours, in the order in which they are tried."""
    ours = dict(_rows(DEPENDING))
    for word, others in _rows(THEIRS):
        ours.update({other: [word] for other in others})
    return ours


def _rows(table: str) -> Iterator[tuple[str, list[str]]]:
    """`word: word word`; what is indented goes on with the line above."""
    lines = [line for line in table.strip().splitlines() if not line.startswith("#")]
    for row in "\n".join(lines).replace("\n ", " ").splitlines():
        word, _, others = row.partition(": ")
        yield word, others.split()
