# Turns the rounds of scripts/bench.sh into a table (form=table), JSON (form=json), or the goals that were missed (form=misses,
# which fails when there are any). Input lines, fields separated by tabs:
#   setting   KEY VALUE
#   server    NUMBER LABEL VERSION         number 0 is the subject, the others are its peers
#   workload  NAME UNIT REQUIRED-RATIOS    such as "tgt 4.0, nbdkit 2.0"
#   round     WORKLOAD SERVER ROUND CPU-US-PER-IO OTHERS-PERCENT JSON-OF-THE-CLIENT RSS-MIB

BEGIN {
  FS = "\t"
  # Above this the client, one thread, is as good as busy: then it is the limit, not the server.
  CLIENT_BUSY_PERCENT = 90
  # Above this, of one core, other programs were in the way.
  OTHERS_PERCENT = 20
  key_count = split("iops mib_per_s p50_us p99_us p999_us max_us client_cpu_percent", keys, " ")
}

$1 == "setting" { settings[++setting_count] = $2; setting_value[$2] = $3 }
$1 == "server" { label[$2] = $3; version[$2] = $4; if ($2 + 1 > servers) servers = $2 + 1 }
$1 == "workload" { names[++workload_count] = $2; unit[$2] = $3; required[$2] = $4 }
$1 == "round" {
  if ($4 > rounds) rounds = $4
  value[$2, $3, $4, "cpu"] = $5
  value[$2, $3, $4, "others"] = $6
  json[$2, $3, $4] = $7
  value[$2, $3, $4, "rss"] = $8
  for (k = 1; k <= key_count; k++) value[$2, $3, $4, keys[k]] = number_of($7, keys[k])
  value[$2, $3, $4, "rate"] = unit[$2] == "kIOPS" ? value[$2, $3, $4, "iops"] / 1000 : value[$2, $3, $4, "mib_per_s"]
}

END {
  if (form == "table") table()
  else if (form == "json") as_json()
  else exit misses()
}

function number_of(text, key,   at) {
  at = index(text, "\"" key "\":")
  return at == 0 ? 0 : substr(text, at + length(key) + 3) + 0
}

# Sorts list[1..count] in place and returns the middle.
function middle(list, count,   i, j, held) {
  for (i = 2; i <= count; i++) {
    held = list[i]
    for (j = i - 1; j >= 1 && list[j] > held; j--) list[j + 1] = list[j]
    list[j + 1] = held
  }
  return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
}

function median(name, server, key,   round, list) {
  for (round = 1; round <= rounds; round++) list[round] = value[name, server, round, key]
  return middle(list, rounds)
}

# The median over the rounds of subject/peer, each of two measurements that stood next to each other; low and high are set too.
function ratio(name, peer, key,   round, list, result) {
  for (round = 1; round <= rounds; round++) {
    list[round] = value[name, peer, round, key] > 0 ? value[name, 0, round, key] / value[name, peer, round, key] : 0
  }
  result = middle(list, rounds)
  low = list[1]
  high = list[rounds]
  return result
}

# The least ratio to that peer, or "".
function goal(name, peer,   parts, words, i, count) {
  count = split(required[name], parts, / *, */)
  for (i = 1; i <= count; i++) {
    split(parts[i], words, " ")
    if (words[1] == label[peer]) return words[2]
  }
  return ""
}

function rate_text(name, server,   rate) {
  rate = median(name, server, "rate")
  return sprintf(rate < 100 ? "%.1f" : "%.0f", rate)
}

function disturbed(name, peer) {
  return median(name, 0, "others") >= OTHERS_PERCENT || median(name, peer, "others") >= OTHERS_PERCENT
}

function table(   w, name, peer, busy, any_busy, any_disturbed, marks, throughput) {
  for (peer = 1; peer < servers; peer++) {
    any_busy = any_disturbed = 0
    printf "\n%s against %s; medians of %d rounds of %s s, ratios as median (lowest..highest)\n",
      label[0], label[peer], rounds, setting_value["seconds"]
    printf "%-17s %-5s %19s  %-22s %19s %6s %21s %19s\n", "", "", "", "", "CPU us per I/O", "", "p99 latency, us", "RSS MiB"
    printf "%-17s %-5s %9s %9s  %-22s %9s %9s %6s  %9s %9s %9s %9s\n",
      "workload", "unit", short(0), short(peer), "ratio", short(0), short(peer), "ratio", short(0), short(peer), short(0), short(peer)
    for (w = 1; w <= workload_count; w++) {
      name = names[w]
      busy = median(name, 0, "client_cpu_percent") >= CLIENT_BUSY_PERCENT
      any_busy = any_busy || busy
      marks = (busy ? " *" : "") (disturbed(name, peer) ? " !" : "")
      any_disturbed = any_disturbed || disturbed(name, peer)
      throughput = ratio(name, peer, "rate")
      printf "%-17s %-5s %9s %9s  %5.2f %-16s %9.1f %9.1f %6.2f  %9.0f %9.0f %9.0f %9.0f\n",
        name, unit[name], rate_text(name, 0), rate_text(name, peer),
        throughput, sprintf("(%.2f..%.2f)%s", low, high, marks),
        median(name, 0, "cpu"), median(name, peer, "cpu"), ratio(name, peer, "cpu"),
        median(name, 0, "p99_us"), median(name, peer, "p99_us"), median(name, 0, "rss"), median(name, peer, "rss")
    }
    if (any_busy) print "* the client used " CLIENT_BUSY_PERCENT " % of its core or more: the server may be faster than this"
    if (any_disturbed) print "! other programs used " OTHERS_PERCENT " % of a core or more: measure again on a quiet machine"
  }
}

# The end of a label, which tells two of a kind apart, over a column; the line above the table has all of it.
function short(server) {
  return substr(label[server], length(label[server]) > 9 ? length(label[server]) - 8 : 1)
}

function quoted(text) {
  gsub(/\\/, "\\\\\\\\", text)
  gsub(/"/, "\\\"", text)
  return "\"" text "\""
}

function as_json(   i, w, name, server, peer, round, comma, result) {
  printf "{\"settings\": {"
  for (i = 1; i <= setting_count; i++) {
    result = setting_value[settings[i]]
    printf "%s\"%s\": %s", (i > 1 ? ", " : ""), settings[i], result ~ /^[0-9]+$/ ? result : quoted(result)
  }
  printf "},\n \"servers\": ["
  for (server = 0; server < servers; server++) {
    printf "%s{\"label\": %s, \"version\": %s}", server ? ", " : "", quoted(label[server]), quoted(version[server])
  }
  printf "],\n \"medians\": ["
  comma = ""
  for (w = 1; w <= workload_count; w++) for (server = 0; server < servers; server++) {
    name = names[w]
    printf "%s\n  {\"workload\": \"%s\", \"server\": %s, \"cpu_us_per_io\": %.2f, \"rss_mib\": %.0f", comma, name, quoted(label[server]), median(name, server, "cpu"),
      median(name, server, "rss")
    for (i = 1; i <= key_count; i++) printf ", \"%s\": %.1f", keys[i], median(name, server, keys[i])
    printf "}"
    comma = ","
  }
  printf "],\n \"ratios\": ["
  comma = ""
  for (w = 1; w <= workload_count; w++) for (peer = 1; peer < servers; peer++) {
    name = names[w]
    result = ratio(name, peer, "rate")
    printf "%s\n  {\"workload\": \"%s\", \"peer\": %s, \"median\": %.3f, \"lowest\": %.3f, \"highest\": %.3f",
      comma, name, quoted(label[peer]), result, low, high
    printf ", \"cpu\": %.3f, \"required\": %s}", ratio(name, peer, "cpu"), goal(name, peer) == "" ? "null" : goal(name, peer)
    comma = ","
  }
  printf "],\n \"rounds\": ["
  comma = ""
  for (w = 1; w <= workload_count; w++) for (round = 1; round <= rounds; round++) for (server = 0; server < servers; server++) {
    name = names[w]
    printf "%s\n  {\"workload\": \"%s\", \"server\": %s, \"round\": %d, \"cpu_us_per_io\": %s, \"others_cpu_percent\": %s, \"load\": %s}",
      comma, name, quoted(label[server]), round, value[name, server, round, "cpu"], value[name, server, round, "others"], json[name, server, round]
    comma = ","
  }
  print "]}"
}

function misses(   w, name, peer, got, least, count, judged) {
  for (peer = 1; peer < servers; peer++) {
    for (w = 1; w <= workload_count; w++) {
      name = names[w]
      least = goal(name, peer)
      if (least == "") continue
      judged++
      got = ratio(name, peer, "rate")
      if (got < least + 0) {
        count++
        printf "missed: %s is %.2f x %s, the goal is %.1f\n", name, got, label[peer], least
      }
    }
  }
  if (!judged) {
    print "missed: nothing that was measured has a goal; see docs/benchmarks.md for whom there are goals"
    return 1
  }
  if (!count) printf "all %d goals are met\n", judged
  return count > 0
}
