{# The keys of a main table and whether each is a tombstone, as they are before a MERGE. #}
CREATE OR REPLACE TABLE {{ before | identifier }} AS
SELECT {% for name in feed.key %}{{ name | identifier }}, {% endfor %}_deleted
FROM {{ main | identifier }} AS _t
