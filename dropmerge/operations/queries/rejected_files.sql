{# The files that have rejected rows. Parameters: feed, empty for all. #}
SELECT DISTINCT feed, bucket, object, generation FROM `ops.rejected_rows` WHERE @feed = '' OR feed = @feed
