{# Loads that an earlier release merged. Parameters: feed, table_id. #}
UPDATE {{ ledger | identifier }} SET table_id = @table_id WHERE feed = @feed AND table_id IS NULL
