-- What is on the shelf of one article, and how much of that is promised to orders.
--@ aggregate Stock version 1

--@ initial
json_object('on_hand', 0, 'reserved', 0)

--@ on Received
json_set($state, '$.on_hand', $state ->> '$.on_hand' + $data(quantity))

--@ on Reserved
json_set($state, '$.reserved', $state ->> '$.reserved' + $data(quantity))

--@ on Released
json_set($state, '$.reserved', $state ->> '$.reserved' - $data(quantity))

--@ on Shipped
json_set($state,
    '$.on_hand', $state ->> '$.on_hand' - $data(quantity),
    '$.reserved', $state ->> '$.reserved' - $data(quantity))
