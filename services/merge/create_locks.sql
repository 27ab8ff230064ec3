{# A row a feed, which every merge of the feed updates inside its transaction. #}
CREATE TABLE IF NOT EXISTS {{ locks | identifier }} (feed STRING NOT NULL, merges INT64 NOT NULL)
