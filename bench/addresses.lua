-- wrk: asks for the addresses in the file $ADDRESSES, one a line, in turn.
local addresses = {}
for line in io.lines(os.getenv("ADDRESSES")) do
  addresses[#addresses + 1] = line
end
local number = 0
request = function()
  number = number % #addresses + 1
  return wrk.format("GET", addresses[number])
end
