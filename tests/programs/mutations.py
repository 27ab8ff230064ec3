"""Each guarantee broken on purpose, in a copy of the project, and the named test that must fail for it.

`python -m tests.programs.mutations` runs them all, `--only NAME` one; exits 1 if a mutation survives.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.topology import ROOT


@dataclass(frozen=True)
class Mutation:
    name: str
    guarantee: str
    file: str
    old: str
    """Once in the file."""
    new: str
    test: str
    """A pytest node id."""


_MERGE = "services/merge/merge.sql"
_UPSERT = "services/merge/strategies/matched.sql"
_ORDER_OF_ROWS = "services/shared/contract/order.py"
_MERGER = "services/merge/merge_loads.py"
_STAGER = "services/ingest/stage_file.py"
_SETTLE = "services/shared/delivery.py"
_CHECK = "services/ingest/check_rows.py"
_G1 = "tests/guarantees/test_g1_same_files_same_table.py::test_g1_"
_VALUES = (
    "tests/guarantees/test_g10_values_stay.py::"
    "test_g10_values_are_in_the_tables_that_are_made_for_them_and_nowhere_else"
)
_G2_G7 = "tests/guarantees/test_g2_g7_bad_input.py::test_"
_REBUILD = "tests/field/test_rebuild.py::test_"
_ENDS = "tests/field/test_ends.py::test_"
_ORDER = "tests/histories/test_histories.py::test_the_order_of_rows"
_COLUMNS = "tests/statements/test_columns_of_a_file.py::test_"
_TRANSIENT = "tests/faults/test_transient_faults.py::test_g1_g2_faults_that_pass_change_nothing"
_FORGOTTEN = "tests/faults/test_transient_faults.py::test_g1_g2_a_job_that_was_forgotten_is_started_again"
_PERMANENT = "tests/faults/test_permanent_faults.py::test_g2_a_permanent_fault_is_a_dead_letter_and_its_replay_merges"
_CHANGES = "tests/guarantees/test_g9_contract_changes.py::"
_ACTING = "tests/page/test_acting.py::test_"
_FORM = f"{_ACTING}a_form_that_this_page_has_not_sent_is_refused"
_OUTAGE = "tests/page/test_outage.py::test_a_tab_outlives_the_warehouse"
_CRASH = "tests/faults/test_crash_points.py::test_g1_g2_a_service_killed_at_a_step"

_PATIENCE = ("_PATIENCE = 400.0", "_PATIENCE = 60.0")
"""A lost file is one that a test waits for in vain: not as long here."""
_PATIENT = ("tests/harness/pipeline.py", "tests/harness/subscription.py")

MUTATIONS = [
    Mutation(
        "no-version-guard",
        "G1",
        _UPSERT,
        "WHEN MATCHED AND {{ order.beats(ranking) }} THEN",
        "WHEN MATCHED THEN",
        f"{_G1}an_older_version_in_a_later_file_loses",
    ),
    Mutation(
        "no-tie-break",
        "G1",
        _ORDER_OF_ROWS,
        "*feed.versions, GENERATION.name, DELETED.name",
        "*feed.versions, DELETED.name",
        f"{_G1}equal_versions_are_decided_by_the_generation",
    ),
    Mutation(
        "append-not-idempotent",
        "G1",
        "services/merge/strategies/append.sql",
        "WHERE _s._load_id NOT IN (",
        "WHERE '' NOT IN (",
        "tests/statements/test_modes.py::test_g1_a_transaction_that_was_torn_is_repaired_by_repeating_it[append]",
    ),
    Mutation(
        "late-version-is-no-version",
        "G1",
        "services/shared/contract/history.py",
        "return [*feed.key, *version_columns(feed)]",
        "return [*feed.key]",
        "tests/statements/test_history.py::test_g1_g3_the_history_is_a_function_of_the_files[day-rev]",
    ),
    Mutation(
        "history-begins-in-the-middle",
        "G9",
        "services/merge/follow.py",
        'kept = "; every version kept (history)" if feed.history else ""',
        'kept = ""',
        "tests/statements/test_history.py::test_g9_versions_are_kept_of_all_rows_or_of_none",
    ),
    Mutation(
        "older-snapshot-brings-back",
        "G3",
        "services/merge/strategies/snapshot.sql",
        "COALESCE(MAX(l.generation), 0)",
        "COALESCE(MAX(0), 0)",
        "tests/statements/test_modes.py::test_g3_an_empty_snapshot_deletes_all_and_is_remembered",
    ),
    Mutation(
        "typed-moments-cut",
        "G1",
        "services/ingest/formats/canonical.py",
        "%H:%M:%E6SZ",
        "%H:%M:%SZ",
        "tests/guarantees/test_g1_ten_formats.py::test_g1_g7_the_same_rows_in_ten_formats_are_the_same_table",
    ),
    Mutation("no-column-order", "G1", _ORDER_OF_ROWS, " *feed.tie_breakers,", "", _ORDER),
    Mutation(
        "rescued-out-of-the-order",
        "G1",
        _ORDER_OF_ROWS,
        "*rescued, ",
        "",
        f"{_COLUMNS}g1_rows_that_differ_in_what_was_rescued_have_one_winner",
    ),
    Mutation(
        "missing-is-empty",
        "G1",
        "services/ingest/row_texts.py",
        '_NULL = "CAST(NULL AS STRING)"',
        "_NULL = \"''\"",
        f"{_COLUMNS}g1_a_column_that_a_file_lacks_is_null",
    ),
    Mutation(
        "flag-before-work",
        "G1",
        "services/merge/merge_group.py",
        '        job = tables.warehouse.run_script(sql, f"merge-{merge_id}", feed.max_bytes_billed)\n',
        "        for one in group:\n"
        "            tables.warehouse.query(\n"
        '                f"INSERT INTO `{tables.project}.ops.ledger` "\n'
        '                "(feed, load_id, merged_at, merge_id, table_id) "\n'
        "                f\"VALUES ('{feed.name}', '{one.load_id}', CURRENT_TIMESTAMP(), '{merge_id}', "
        "'{main.table_id}')\"\n"
        "            )\n"
        '        job = tables.warehouse.run_script(sql, f"merge-{merge_id}", feed.max_bytes_billed)\n',
        f"{_TRANSIENT}[conflicts]",
    ),
    Mutation(
        "clock-in-a-check",
        "G1",
        "services/shared/contract/expression.py",
        "    if kind in _ALLOWED or constant:",
        "    if kind in _ALLOWED or constant or issubclass(kind, exp.Func):",
        "tests/unit/shared/contract/test_expression.py::test_a_check_that_is_refused",
    ),
    Mutation(
        "escapes-doubled",
        "G7",
        "services/shared/contract/expression.py",
        'fault = literal_fault(source) if is_text else ""',
        'fault = ""',
        "tests/statements/test_checks.py::test_a_check_as_written_is_the_check_as_rendered",
    ),
    Mutation(
        "check-never-typed",
        "G7",
        "services/shared/contract/expression.py",
        "        types.condition(where.this)\n",
        "",
        "tests/unit/shared/contract/test_expression.py::test_a_check_that_is_refused",
    ),
    Mutation(
        "check-in-the-default-time-zone",
        "G1",
        "services/shared/contract/expression.py",
        "if types.is_instant(moment):",
        "if False:",
        "tests/statements/test_checks.py::test_a_check_depends_on_no_time_zone",
    ),
    Mutation(
        "date-in-the-default-time-zone",
        "G1",
        "services/shared/contract/types/moment.py",
        "DATE({instant}, 'UTC')",
        "DATE({instant})",
        "tests/statements/test_googlesql.py::test_g1_a_date_in_the_future_is_one_in_every_zone",
    ),
    Mutation(
        "bounds-too-narrow",
        "G1",
        "services/shared/contract/types/text.py",
        "chr(ord(prefix[end - 1]) + 1)",
        "prefix[end - 1]",
        "tests/unit/shared/contract/test_type_bounds.py::test_g1_every_text_lies_within_its_bounds",
    ),
    Mutation(
        "zero-keeps-its-sign",
        "G1",
        "services/shared/contract/types/number.py",
        "IF({value} = 0, 0.0, {value})",
        "{value}",
        "tests/corpus/test_types.py::test_g1_g7_python_and_the_warehouse_read_a_text_alike[FLOAT64]",
    ),
    Mutation("swallowed-error", "G2", _SETTLE, 'return "try again", 503', "return ACK", f"{_TRANSIENT}[jobs]"),
    Mutation(
        "publish-before-work",
        "G2",
        _STAGER,
        "        if not self._was_staged(tables) and",
        "        self._publish(delivery, feed, load, request)\n        if not self._was_staged(tables) and",
        f"{_CRASH}[ingest-load-False]",
    ),
    Mutation(
        "publish-without-waiting",
        "G2",
        "services/shared/publisher.py",
        "return list(PublisherClient.publish(self._client, topic=path, messages=messages, **limits).message_ids)",
        "import threading\n"
        "        some = {'topic': path, 'messages': messages}\n"
        "        threading.Thread(target=PublisherClient.publish, args=[self._client], kwargs=some).start()\n"
        "        return ['']",
        f"{_PERMANENT}[access_denied-publish]",
    ),
    Mutation(
        "silent-end",
        "G2",
        _SETTLE,
        "(dead_letter_id,) = publisher.publish(settings.dead_letter_topic, [dead_letter.encode()])",
        'dead_letter_id = ""',
        f"{_G2_G7}g2_an_object_that_no_feed_wants_is_a_dead_letter",
    ),
    Mutation(
        "forgotten-job-is-permanent",
        "G2",
        "services/shared/google_errors.py",
        "if isinstance(error, exceptions.NotFound) and re.search(",
        "if isinstance(error, OSError) and re.search(",
        f"{_FORGOTTEN}[stage]",
    ),
    Mutation(
        "parameters-are-not-the-work",
        "G1",
        "services/shared/warehouse.py",
        "_job_name(name, sql, repr(sorted((parameters or {}).items())), idempotency_key)",
        "_job_name(name, sql, idempotency_key)",
        "tests/guarantees/test_jobs.py::test_g1_the_same_work_is_one_job_and_other_parameters_are_another",
    ),
    Mutation(
        "gone-called-superseded",
        "G2",
        "services/ingest/pin.py",
        "if live < source.generation:",
        "if False:",
        f"{_ENDS}g2_a_file_deleted_before_it_was_read_is_a_dead_letter",
    ),
    Mutation(
        "hard-delete",
        "G3",
        _UPSERT,
        "WHEN MATCHED AND {{ order.beats(ranking) }} THEN",
        "WHEN MATCHED AND _s._deleted AND {{ beats() }} THEN DELETE\nWHEN MATCHED AND {{ beats() }} THEN",
        f"{_ORDER}[delete after update]",
    ),
    Mutation(
        "delete-column-overlooked",
        "G3",
        "services/ingest/match_header.py",
        "        optional.append(feed.delete.in_file)\n",
        "        pass\n",
        "tests/unit/ingest/test_match_header.py::test_g3_a_delete_column_that_is_spelt_otherwise_is_not_overlooked",
    ),
    Mutation(
        "unknown-marker-is-an-update",
        "G3",
        "services/ingest/row_rules.py",
        "if delete_markers(feed):",
        "if False:",
        f"{_COLUMNS}g3_g7_a_marker_that_the_contract_does_not_know",
    ),
    Mutation(
        "delete-of-an-unseen-key-forgotten",
        "G3",
        _UPSERT,
        "WHEN NOT MATCHED THEN",
        "WHEN NOT MATCHED AND NOT _s._deleted THEN",
        "tests/guarantees/test_g3_deleted_stays_deleted.py::test_g3_a_delete_before_its_insert",
    ),
    Mutation(
        "whole-file-in-memory",
        "G4",
        "services/ingest/inspect_file.py",
        "head = read(0, min(HEAD_BYTES, size))",
        "head = read(0, size)",
        "tests/faults/test_g4_bytes_read.py::test_g4_ingest_reads_the_head_of_a_large_file_and_no_more",
    ),
    Mutation(
        "no-lock",
        "G5",
        _MERGE,
        "UPDATE {{ lock | identifier }} SET merges = merges + 1 WHERE main = {{ feed.table | literal }};",
        "",
        "tests/histories/test_concurrency_model.py::test_g5_merge_sql_takes_the_precautions_that_the_model_needs",
    ),
    Mutation(
        "one-lock-for-all-feeds",
        "G5",
        "services/merge/lock.py",
        "lock_{feed.table.replace('.', '_')}",
        "lock",
        "tests/faults/test_group_commit.py::test_g5_feeds_are_merged_in_parallel",
    ),
    Mutation(
        "lost-lock-not-noticed",
        "G5",
        _MERGE,
        "SELECT IF(COUNT(*) > 0, NULL, ERROR({{ not_ready | literal }}))",
        "SELECT COUNT(*)",
        "tests/guarantees/test_g5_group_commit.py::test_g5_a_lock_row_that_went_is_made_again",
    ),
    Mutation(
        "one-load-a-merge",
        "G5",
        "services/merge/statement.py",
        "MAX_LOADS = 500",
        "MAX_LOADS = 1",
        "tests/faults/test_group_commit.py::test_g5_a_burst_is_committed_together",
    ),
    Mutation(
        "one-table-spoils-every-group",
        "G5",
        _MERGER,
        "self._merge_alone.add(one.load_id)",
        "pass",
        "tests/faults/test_group_commit.py::test_g5_a_staging_table_that_cannot_be_merged_spoils_one_group",
    ),
    Mutation(
        "feeds-wait-for-each-other",
        "G5",
        "services/merge/turns.py",
        "self._tables.setdefault(name, ",
        'self._tables.setdefault("", ',
        "tests/faults/test_group_commit.py::test_g5_feeds_are_merged_in_parallel",
    ),
    Mutation(
        "late-grant-is-final",
        "G2",
        "services/shared/delivery.py",
        '_MAY_ARRIVE = ("access_denied", "not_found")',
        "_MAY_ARRIVE = ()",
        "tests/faults/test_delivery.py::test_g2_a_grant_that_is_late_makes_no_dead_letter[load]",
    ),
    Mutation(
        "twenty-attempts",
        "G2",
        "deploy/topology.yaml",
        "dead_letter: {topic: ingest-dead-letter, max_delivery_attempts: 100}",
        "dead_letter: {topic: ingest-dead-letter, max_delivery_attempts: 20}",
        "tests/faults/test_delivery.py::test_g2_two_hours_of_an_exhausted_quota_make_no_dead_letter",
    ),
    Mutation(
        "answered-for-a-table-made-since",
        "G2",
        "services/merge/turns.py",
        "(one.is_covered and one.load_id in load_ids)",
        "one.load_id in load_ids",
        "tests/unit/merge/test_waiting.py::test_g2_who_came_after_the_staging_tables_were_listed_looks_for_itself",
    ),
    Mutation(
        "no-place-for-another-feed",
        "G5",
        "services/merge/turns.py",
        "_SHARE = 0.8",
        "_SHARE = 8.0",
        "tests/unit/merge/test_waiting.py::test_g5_a_busy_table_leaves_a_place_for_each_other",
    ),
    Mutation(
        "merged-before-it-is-due",
        "G5",
        "services/merge/merge_loads.py",
        "if feed.merge_every and not turn.is_merged:",
        "if feed.merge_every < 0:",
        "tests/faults/test_delivery.py::test_g5_files_of_a_window_are_merged_together",
    ),
    Mutation(
        "replay-loses-the-original",
        "G6",
        "services/shared/messages/dead_letter.py",
        "return self.data, {**original, **named}",
        "return self.data, named",
        "tests/guarantees/test_g6_replay.py::test_g6_replay_publishes_the_original_and_may_be_repeated",
    ),
    Mutation(
        "acknowledged-before-replayed",
        "G6",
        "dropmerge/operations/dead_letters/replay.py",
        "        ids = connection.publisher.publish(source,",
        "        subscription.acknowledge(some)\n        ids = connection.publisher.publish(source,",
        "tests/guarantees/test_g6_replay.py::test_g6_a_replay_that_cannot_be_published_loses_nothing",
    ),
    Mutation(
        "backfill-announces-waiting-letters",
        "G6",
        "dropmerge/operations/backfill.py",
        "if not self.with_dead_letters and load.source in self._waiting:",
        "if False:",
        f"{_ENDS}g6_a_backfill_announces_nothing_that_was_given_up",
    ),
    Mutation(
        "tolerates-everything",
        "G7",
        "services/shared/contract/feed.py",
        "return bad <= self.at_most",
        "return True",
        f"{_G2_G7}g7_past_the_tolerance_nothing_is_merged",
    ),
    Mutation(
        "replaced-bytes-taken",
        "G7",
        "services/ingest/row_rules.py",
        'return "not_utf8", f"STRPOS({text}, CHR(65533)) > 0"',
        'return "not_utf8", "FALSE"',
        f"{_G2_G7}g7_rows_that_are_not_utf8_are_set_aside",
    ),
    Mutation(
        "gzip-cut-off-taken",
        "G7",
        "services/ingest/formats/compression.py",
        "if is_whole and len(text) < most:",
        "if False:",
        "tests/unit/ingest/test_encodings.py::test_g7_gzip_that_is_not_whole_is_malformed",
    ),
    Mutation(
        "number-written-anew",
        "G1",
        "services/ingest/formats/ndjson.py",
        "{_at(place, feed, _NUMBER)}",
        "{_at(place, feed, 'JSON_VALUE(_json, {})')}",
        "tests/statements/test_ndjson.py::test_g1_a_number_keeps_its_text",
    ),
    Mutation(
        "float-of-17-digits",
        "G1",
        "services/ingest/formats/canonical.py",
        "for digits in (15, 16)",
        "for digits in (15,)",
        "tests/statements/test_typed_files.py::test_g1_each_value_has_one_text",
    ),
    Mutation(
        "letters-are-a-signature",
        "G7",
        "services/ingest/kinds.py",
        '_begins_and_has_nul(b"ORC")',
        '_begins(b"ORC")',
        "tests/unit/ingest/test_kinds.py::test_g7_legal_csv_is_of_no_other_kind[utf-8-ORC]",
    ),
    Mutation(
        "rounded-in-json",
        "G7",
        "services/shared/contract/types/structured.py",
        'return parsed(text, "exact")',
        'return parsed(text, "round")',
        "tests/statements/test_ndjson.py::test_a_json_column_has_any_value_and_an_array_a_list",
    ),
    Mutation(
        "array-without-order",
        "G1",
        "services/shared/contract/types/repeated.py",
        'return f"TO_JSON_STRING({column})"',
        "return \"''\"",
        "tests/corpus/test_arrays.py::test_g1_rows_that_differ_in_an_array_or_in_json_have_one_winner",
    ),
    Mutation(
        "misspelt-delete-is-an-update",
        "G3",
        "services/ingest/formats/ndjson.py",
        "if letters(paths.names[place]):",
        "if False:",
        "tests/statements/test_ndjson.py::test_g3_a_delete_whose_name_is_spelt_otherwise_is_no_update",
    ),
    Mutation(
        "rescued-number-rounded",
        "G7",
        "services/ingest/formats/ndjson.py",
        '"NOT _deleted AND _exact IS NULL AND ARRAY_LENGTH(_strangers) > 0"',
        '"FALSE"',
        "tests/statements/test_ndjson.py::test_g7_what_the_contract_does_not_know_is_rescued",
    ),
    Mutation(
        "words-of-an-array-not-sent",
        "G7",
        "services/shared/contract/types/repeated.py",
        "return self.element.parameters()",
        "return iter(())",
        "tests/corpus/test_arrays.py::test_g7_elements_are_read_by_the_column_s_options",
    ),
    Mutation(
        "control-characters-taken",
        "G7",
        "services/ingest/formats/csv.py",
        'if _options(feed).encoding in _SINGLE_BYTE:\n        yield "control_character"',
        'if False:\n        yield "control_character"',
        "tests/field/test_files.py::test_g7_control_characters_are_no_text",
    ),
    Mutation(
        "control-character-in-a-key-taken",
        "G1",
        "services/ingest/row_rules.py",
        'yield "not_text", f"REGEXP_CONTAINS',
        'yield "not_text", f"FALSE AND REGEXP_CONTAINS',
        "tests/statements/test_control_characters.py::test_g1_two_keys_that_differ_by_a_control_character_are_not_one",
    ),
    Mutation(
        "control-characters-not-preserved",
        "G1",
        "services/ingest/formats/csv.py",
        "        preserve_ascii_control_characters=True,\n",
        "",
        "tests/statements/test_control_characters.py::test_g1_g7_a_control_character_costs_a_row_whatever_the_format",
    ),
    Mutation(
        "json-ends-at-a-nul",
        "G7",
        "services/ingest/formats/ndjson.sql",
        "{{ cut }} IS NOT NULL OR REGEXP_CONTAINS({{ line }}, r'\\x00') AS",
        "{{ cut }} IS NOT NULL AS",
        "tests/statements/test_ndjson.py::test_g7_a_control_character_costs_its_line",
    ),
    Mutation(
        "line-end-in-a-header-taken",
        "G7",
        "services/ingest/formats/csv_head.py",
        'if ("\\n" in name or "\\r" in name) and name not in known:',
        "if False:",
        "tests/unit/ingest/test_csv_head.py::test_g7_a_name_with_a_line_end_is_refused",
    ),
    Mutation(
        "size-not-looked-at",
        "G7",
        "services/ingest/inspect_file.py",
        "    check_size(head, size, feed.format)\n",
        "",
        "tests/unit/ingest/test_size.py::test_g2_a_file_is_looked_at_before_it_is_loaded",
    ),
    Mutation(
        "too-large-is-malformed",
        "G7",
        "services/shared/warehouse.py",
        'reason = "file_too_large" if _TOO_LARGE in error.detail else "malformed_file"',
        'reason = "malformed_file"',
        "tests/localcloud/test_file_sizes.py::test_g7_what_only_bigquery_refuses_for_its_size_ends_with_that_reason",
    ),
    Mutation(
        "quoted-line-ends-always-allowed",
        "G7",
        "services/ingest/formats/csv.py",
        "allow_quoted_newlines=options.spans_lines",
        "allow_quoted_newlines=True",
        "tests/localcloud/test_file_sizes.py::test_g7_a_quoted_line_end_ends_the_file_where_the_contract_has_none",
    ),
    Mutation(
        "view-of-an-older-contract-stays",
        "G9",
        "services/merge/main_table.py",
        "if known and is_known and is_ours and known.has(extra):",
        "if known and is_known and known.has(extra):",
        f"{_CHANGES}test_g9_the_view_follows_the_newest_contract_whichever_process_wrote_last",
    ),
    Mutation(
        "rejected-rows-not-recorded",
        "G7",
        _CHECK,
        "        record_rejected(warehouse, load, tables, again, counts.rejected)\n",
        "",
        f"{_G2_G7}g7_rows_within_tolerance_are_set_aside",
    ),
    Mutation(
        "good-rows-of-a-dead-letter-left-out",
        "G7",
        "dropmerge/operations/rejected/export.py",
        "    if others:\n        return others[0]\n",
        "",
        "tests/operator/test_rejected.py::test_g7_no_good_row_of_a_dead_lettered_file_is_lost",
    ),
    Mutation(
        "another-records-number",
        "G7",
        "dropmerge/operations/rejected/spool.py",
        " AND placed.alike = one.alike",
        "",
        "tests/unit/dropmerge/test_rejected_places.py::"
        "test_g7_where_it_is_not_certain_which_record_it_was_there_is_no_number",
    ),
    Mutation(
        "broken-record-that-fits-by-chance",
        "G7",
        "services/ingest/formats/csv_record.py",
        "    if is_broken(one, width, options) and not is_skipped(one, options):\n",
        "    if True:\n",
        "tests/corpus/test_shapes.py::test_g7_a_broken_record_of_a_file_with_other_columns_stays_broken[escaped-b id]",
    ),
    Mutation(
        "sent-in-again-each-time",
        "G7",
        "dropmerge/operations/rejected/resubmit.py",
        "timeout=_TIMEOUT, if_generation_match=0)",
        "timeout=_TIMEOUT)",
        "tests/operator/test_rejected.py::test_g7_rejected_rows_are_sent_in_again",
    ),
    Mutation(
        "pinned-copy-not-looked-for",
        "G2",
        "services/ingest/pin.py",
        "exceptions.NotFound, exceptions.Forbidden) as error",
        "exceptions.NotFound) as error",
        "tests/faults/test_transient_faults.py::test_g1_g2_a_copy_that_another_delivery_made_is_found_whatever_refuses_a_second",
    ),
    Mutation(
        "subscription-lost-to-a-plan",
        "G2",
        "deploy/google/modules/service/push.tf",
        "prevent_destroy = true",
        "prevent_destroy = false",
        "tests/deploy/test_terraform.py::test_what_waits_in_a_subscription_cannot_be_lost_to_a_plan",
    ),
    Mutation(
        "ledger-open-to-ingest",
        "G8",
        "deploy/google/foundation/access.tf",
        "    rejected_rows = google_bigquery_table.rejected_rows.table_id\n",
        '    rejected_rows = google_bigquery_table.rejected_rows.table_id\n    ledger        = "ledger"\n',
        "tests/deploy/test_terraform.py::test_ingest_may_not_touch_the_ledger_or_main_tables",
    ),
    Mutation(
        "half-adopted-table-is-merged-into",
        "G9",
        "services/merge/main_table.py",
        'if lacking or table.labels.get(ADOPTION) == "begun":',
        "if lacking:",
        "tests/operator/test_adopt.py::test_g9_adopt_finishes_what_was_cut_short[1]",
    ),
    Mutation(
        "another-key-is-applied",
        "G9",
        "services/merge/main_table.py",
        "if entry.identity != identity(feed):",
        "if False:",
        f"{_CHANGES}test_g9_another_key_version_or_table_is_never_applied[key]",
    ),
    Mutation(
        "old-values-stay",
        "G9",
        "services/merge/strategies/matched.sql",
        "  , {{ name | identifier }} = {{ '[]' if is_array else 'NULL' }}",
        "",
        f"{_CHANGES}test_g9_an_old_value_does_not_stand_beside_new_ones",
    ),
    Mutation(
        "merged-while-replaced",
        "G1",
        "dropmerge/operations/rebuild/close.sql",
        "SET rebuild = {{ rebuild | literal }}",
        "SET rebuild = NULL",
        f"{_REBUILD}g1_merges_wait_while_the_rows_are_replaced",
    ),
    Mutation(
        "rows-vanish-in-a-rebuild",
        "G2",
        "dropmerge/operations/rebuild/rebuild.py",
        "missing = [] if self.allow_missing else self._missing(built)",
        "missing = list[str]()",
        f"{_REBUILD}g2_rows_do_not_vanish_with_a_copy_that_is_gone",
    ),
    Mutation(
        "what-a-rebuild-refuses-is-not-listed",
        "G7",
        "dropmerge/operations/rebuild/reopen.sql",
        "row_text, reasons, rejected_at FROM {{ refused | identifier }};",
        "row_text, reasons, rejected_at FROM {{ refused | identifier }} WHERE FALSE;",
        f"{_REBUILD}g7_what_a_rebuild_refuses_is_listed_and_nothing_else[]",
    ),
    Mutation(
        "second-row-of-a-key-overlooked",
        "G1",
        "dropmerge/operations/rebuild/differences.sql",
        "{% endfor %}_l._copy = _e._copy",
        "{% endfor %}_e._copy = 1",
        "tests/operator/test_verify.py::test_g1_each_planted_change_is_found_and_nothing_else",
    ),
    Mutation(
        "dropped-table-keeps-its-loads",
        "G9",
        "services/merge/main_table.py",
        "uuid.uuid4().hex",
        "(entries[0].table_id if entries else uuid.uuid4().hex)",
        f"{_CHANGES}test_g9_a_main_table_that_was_dropped_has_no_loads",
    ),
    Mutation(
        "never-read-anew",
        "G9",
        _MERGER,
        "if contract != feed.fingerprint and self._is_staged(load, contract):",
        "if False:",
        f"{_CHANGES}test_g9_what_the_old_contract_staged_is_read_anew",
    ),
    Mutation(
        "statement-not-analysed",
        "all",
        _STAGER,
        '        with delivery.timed("publish"):\n',
        '        self.warehouse.query("SELECT 1")\n        with delivery.timed("publish"):\n',
        "tests/faults/test_sent_statements.py::test_every_statement_that_is_sent_was_analysed",
    ),
    Mutation(
        "local-time-twice-is-taken",
        "G7",
        "services/shared/contract/types/local_time.py",
        "COALESCE({self.earlier} != {self.later}, FALSE)",
        "FALSE",
        "tests/corpus/test_formats.py::test_g7_a_local_time_is_an_instant_or_has_a_reason",
    ),
    Mutation(
        "groups-of-any-length",
        "G7",
        "services/shared/contract/types/notation.py",
        "[0-9]{{3}})+|",
        "[0-9]+)+|",
        "tests/unit/shared/contract/test_notation.py::test_a_number",
    ),
    Mutation(
        "null-markers-before-blanks-are-off",
        "G7",
        "services/ingest/row_texts.py",
        "    text = f\"NULLIF({_trimmed(text)}, '')\" if trims else text\n",
        "    text = _trimmed(text) if trims else text\n",
        "tests/corpus/test_texts.py::test_g7_texts_are_trimmed_and_values_limited",
    ),
    Mutation(
        "digits-beside-digits-are-guessed",
        "G7",
        "services/shared/contract/types/pattern.py",
        "if element.narrow and any(map(_is_digits, beside)) else",
        "if False else",
        "tests/unit/shared/contract/test_moment_formats.py::test_a_day",
    ),
    Mutation(
        "rows-nobody-expects-pass",
        "G7",
        "dropmerge/operations/trial/comparison.py",
        "extra = Counter(there.rows) - Counter(expected.rows)",
        "extra = Counter[Row]()",
        "tests/unit/dropmerge/test_trial.py::test_each_row_that_differs_is_named",
    ),
    Mutation(
        "preview-leaves-its-tables",
        "G1",
        "dropmerge/operations/trial/preview.py",
        "connection.warehouse.drop_table(name)",
        "pass",
        "tests/operator/test_trial.py::test_a_preview_says_what_a_file_would_do_and_changes_nothing",
    ),
    Mutation(
        "schema-behind-the-code",
        "G7",
        "services/shared/contract/feed.py",
        'Literal["reject", "ignore", "rescue", "add"] = "reject"',
        'Literal["reject", "ignore", "rescue", "add", "keep"] = "reject"',
        "tests/unit/dropmerge/test_feed_schema.py::test_the_published_schema_is_that_of_the_code",
    ),
    Mutation(
        "word-without-an-example",
        "G7",
        "services/shared/contract/columns.py",
        'mode: Literal["NULLABLE", "REQUIRED", "REPEATED"] = "NULLABLE"',
        'mode: Literal["NULLABLE", "REQUIRED", "REPEATED", "FILLED"] = "NULLABLE"',
        "tests/operator/test_contracts_page.py::test_every_option_has_an_example",
    ),
    Mutation(
        "row-as-an-example",
        "G10",
        "services/ingest/count_reasons.sql",
        "SELECT _why AS why,",
        "SELECT CONCAT(_why, ', such as ', SUBSTR(MIN(_row), 1, 200)) AS why,",
        _VALUES,
    ),
    Mutation(
        "data-as-a-header",
        "G10",
        "services/ingest/shown_names.py",
        "    return set(names) if alike or _is_like(names, tuple(known)) else alike\n",
        "    return set(names)\n",
        _VALUES,
    ),
    Mutation(
        "what-google-quotes",
        "G10",
        "services/shared/google_errors.py",
        "    return without_values(str(error))\n",
        "    return str(error)\n",
        _VALUES,
    ),
    Mutation(
        "page-believes-any-form",
        "page",
        "dropmerge/page/forms.py",
        'if not hmac.compare_digest(request.form.get(FIELD, "").encode(), self.token(person).encode()):',
        "if False:",
        f"{_FORM}[no-token]",
    ),
    Mutation(
        "page-believes-any-site",
        "page",
        "dropmerge/page/forms.py",
        "is_own = urlsplit(origin).netloc == request.host",
        "is_own = True",
        f"{_FORM}[another-origin]",
    ),
    Mutation(
        "page-has-any-name",
        "page",
        "dropmerge/page/local_access.py",
        'if request.host not in [f"{host}:{self.port}" for host in _HOSTS]:',
        "if False:",
        f"{_FORM}[another-name]",
    ),
    Mutation(
        "page-acts-on-what-it-has-not-shown",
        "page",
        "dropmerge/operations/actions/carry_out.py",
        "wanted = Filter(ids=frozenset(run.action.letters))",
        "wanted = Filter()",
        f"{_ACTING}letters_that_came_later_are_not_touched",
    ),
    Mutation(
        "page-acts-without-a-record",
        "page",
        "dropmerge/page/actions.py",
        "                begin(connection, action)\n",
        "",
        f"{_ACTING}the_same_form_sent_at_the_same_time_begins_one_operation",
    ),
    Mutation(
        "page-shows-values-without-a-record",
        "page",
        "dropmerge/page/actions.py",
        "return self._of(who).journal.write([(event, {})])",
        "return bool(event)",
        f"{_ACTING}values_are_hidden_until_somebody_asks_which_is_recorded",
    ),
    Mutation(
        "page-shows-figures-of-any-age",
        "page",
        "dropmerge/page/cache.py",
        "        if old is not None and self._clock() < place.next_look:\n",
        "        if old is not None:\n",
        _OUTAGE,
    ),
    Mutation(
        "page-hides-that-figures-are-old",
        "page",
        "dropmerge/page/cache.py",
        "answer = replace(place.answer, trouble=trouble)",
        "answer = place.answer",
        _OUTAGE,
    ),
    Mutation(
        "page-goes-back-to-its-first-letters",
        "page",
        "dropmerge/page/views/dead_letters.py",
        "return next(behind, len(lines))",
        "return next((n + 1 for n, line in enumerate(lines) if line.place == after), 0)",
        "tests/page/test_many.py::test_all_letters_are_shown_once_whatever_comes_and_goes",
    ),
    Mutation(
        "page-lets-viewers-act",
        "page",
        "dropmerge/page/forms.py",
        "if person.role != Role.OPERATOR:",
        "if False:",
        f"{_ACTING}a_read_only_console_has_no_buttons_and_takes_no_form",
    ),
    Mutation(
        "page-discards-without-a-reason",
        "page",
        "dropmerge/operations/actions/record.py",
        "if self.kind == Kind.DISCARD and not self.why.strip():",
        "if False:",
        f"{_ACTING}without_a_reason_nothing_is_discarded",
    ),
    Mutation(
        "page-discards-many-on-a-click",
        "page",
        "dropmerge/page/views/act.py",
        "if kind == Kind.DISCARD and takes_number(len(ids))",
        "if False",
        f"{_ACTING}many_are_discarded_only_by_who_types_how_many",
    ),
    Mutation(
        "page-replays-all-at-once",
        "page",
        "dropmerge/operations/actions/carry_out.py",
        "RateLimiter(action.rate), FOLLOW_SECONDS, action.canary)",
        "RateLimiter(action.rate), FOLLOW_SECONDS, None)",
        f"{_ACTING}what_the_first_does_is_seen_before_the_others_follow",
    ),
    Mutation(
        "page-cannot-be-stopped",
        "page",
        "dropmerge/operations/actions/carry_out.py",
        "if is_cancelled(self.connection, self.action.id):",
        "if False:",
        f"{_ACTING}an_operation_is_cancelled_in_its_middle",
    ),
    Mutation(
        "page-waits-for-the-dead",
        "page",
        "dropmerge/page/child.py",
        "if code and not any(",
        "if False and not any(",
        f"{_ACTING}a_worker_that_was_killed_is_known_and_the_rest_can_be_replayed",
    ),
    Mutation(
        "page-takes-its-worker-along",
        "page",
        "dropmerge/page/child.py",
        "start_new_session=True",
        "start_new_session=False",
        f"{_ACTING}an_operation_outlives_the_console",
    ),
    Mutation(
        "page-lists-what-was-filtered-out",
        "page",
        "dropmerge/operations/dead_letters/filters.py",
        '            and self.object_part in (dead_letter.object or "").lower()\n',
        "",
        "tests/page/test_pages.py::test_filters_hold_for_people_and_programs",
    ),
    Mutation(
        "page-reads-for-each-viewer",
        "page",
        "dropmerge/page/cache.py",
        "if not place.turn.acquire(blocking=old is None):",
        "if not place.turn.acquire(blocking=False) and old is not None:",
        "tests/unit/page/test_cache.py::test_however_many_ask_at_once_it_is_read_once",
    ),
    Mutation(
        "page-believes-whom-iap-has-not-sent",
        "page",
        "dropmerge/page/iap.py",
        "token, keys, audience=self._audience,",
        "token, keys, audience=None,",
        "tests/unit/page/test_iap.py::test_a_forged_assertion_is_refused",
    ),
]


def failed(mutation: Mutation) -> list[str]:
    """The tests that failed for it, as pytest names them; none if it survives.

    Raises ValueError when the mutation or its test no longer fits the project. A fixture's error is no catch.
    """
    with tempfile.TemporaryDirectory(prefix="dropmerge-mutation-") as name:
        copy = Path(name) / "copy"
        ignored = shutil.ignore_patterns(".git", ".venv*", ".*_cache", ".local", "*.egg-info", ".hypothesis")
        shutil.copytree(ROOT, copy, ignore=ignored)
        _replace(copy / mutation.file, mutation.old, mutation.new)
        for patient in _PATIENT:
            _replace(copy / patient, *_PATIENCE)
        words = [sys.executable, "-m", "pytest", "-x", "-rf", "--tb=no", "-p", "no:cacheprovider", "--timeout=150"]
        done = subprocess.run([*words, mutation.test], cwd=copy, capture_output=True, text=True, check=False)
        found = re.findall(r"^FAILED (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
        if done.returncode and not found:
            raise ValueError(f"pytest could not run {mutation.test}: {done.stdout}{done.stderr}")
        return found


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{file.name} has {old!r} {text.count(old)} times")
    file.write_text(text.replace(old, new), encoding="utf-8")


def main(
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", help="This mutation; may be repeated.")] = None,
) -> None:
    """Break what each guarantee stands on, each in a copy of the project, and see the named test fail.

    Exits 1 if a mutation survives, 2 if one cannot be tried.
    """
    known = {mutation.name for mutation in MUTATIONS}
    if unknown := set(only or []) - known:
        typer.echo(f"no mutation {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}", err=True)
        raise typer.Exit(2)
    progress = Console(stderr=True)
    table = Table("guarantee", "mutation", "caught by", "seconds")
    survivors, broken = 0, 0
    for mutation in MUTATIONS:
        if only and mutation.name not in only:
            continue
        started = time.monotonic()
        try:
            with progress.status(mutation.name):
                found = failed(mutation)
        except ValueError as error:
            progress.print(f"{mutation.name}: {error}", markup=False)
            found, broken = [], broken + 1
        else:
            survivors += not found
        seconds = f"{time.monotonic() - started:.0f}"
        progress.print(f"{mutation.name}: {'caught' if found else 'NOT CAUGHT'} ({seconds} s)")
        caught = found[0].replace("[", r"\[") if found else "[bold]nothing[/bold]"
        table.add_row(mutation.guarantee, mutation.name, caught, seconds)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    raise typer.Exit(2 if broken else 1 if survivors else 0)


if __name__ == "__main__":
    typer.run(main)
