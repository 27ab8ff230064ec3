{# Merges of a feed go on. #}
UPDATE {{ entries | identifier }} SET rebuild = NULL WHERE feed = {{ feed.name | literal }} AND rebuild IS NOT NULL
