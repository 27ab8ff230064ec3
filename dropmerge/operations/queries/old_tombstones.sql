{# Which rows are tombstones that were merged before a time. One that the ledger does not know stays. #}
_deleted AND _load_id IN (SELECT load_id FROM `ops.ledger` WHERE feed = @feed AND merged_at < @before)
