{# Names of the objects that have rejected rows. Parameters: feed, empty for all. #}
SELECT DISTINCT object FROM `ops.rejected_rows` WHERE @feed = '' OR feed = @feed
