"""The C function that CPython calls, in LLVM's language; `entry` fills in the words in capitals and compiles it."""

CALLING = """
define ptr @egc_call(ptr %self, ptr %given, i64 %count, ptr %keywords) {
entry:
  %items = getelementptr i8, ptr %self, i64 ITEMS_AT
  %table.object = load ptr, ptr %items
  %table = getelementptr i8, ptr %table.object, i64 BYTES_AT
  HEADER_FIELDS
  %needed = load i64, ptr %given.at
  %spread = alloca ptr, i64 %needed
  %words.count = load i64, ptr %words.at
  %words = alloca i64, i64 %words.count
  %results.count = load i64, ptr %results.at
  %results = alloca i64, i64 %results.count
  %outputs = load i64, ptr %outputs.at
  %room = add i64 %outputs, 1
  %boxed = alloca ptr, i64 %room
  %failure = alloca ptr
  %rows = load i64, ptr %rows.at
  %first = getelementptr %header, ptr %table, i64 1
  %outputs.first = getelementptr %row, ptr %first, i64 %rows
  %named = icmp ne ptr %keywords, null
  br i1 %named, label %name, label %unnamed
unnamed:
  %complete = icmp eq i64 %count, %needed
  br i1 %complete, label %begin, label %slow
name:
  %names.at = getelementptr ptr, ptr %items, i64 3
  %names = load ptr, ptr %names.at
  %fits = call i1 @egc_spread(ptr %given, i64 %count, ptr %keywords, ptr %names, ptr %spread, i64 %needed)
  br i1 %fits, label %begin, label %slow
begin:
  %arguments = phi ptr [ %given, %unnamed ], [ %spread, %name ]
  %guards = load i64, ptr %guards.at
  br label %guard

guard:
  %g = phi i64 [ 0, %begin ], [ %g.next, %guard.good ]
  %guarded = icmp eq i64 %g, %guards
  br i1 %guarded, label %row, label %guard.check
guard.check:
  %g.three = mul i64 %g, 3
  %g.place = add i64 %g.three, 4
  %guard.at = getelementptr ptr, ptr %items, i64 %g.place
  %guard.holds = call i1 @egc_guard(ptr %guard.at)
  br i1 %guard.holds, label %guard.good, label %slow
guard.good:
  %g.next = add i64 %g, 1
  br label %guard

row:
  %r = phi i64 [ 0, %guard ], [ %r.next, %row.good ]
  %longest = phi i64 [ 0, %guard ], [ %longest.next, %row.good ]
  %checked = icmp eq i64 %r, %rows
  br i1 %checked, label %run, label %row.check
row.check:
  %row.at = getelementptr %row, ptr %first, i64 %r
  %axis = call i64 @egc_argument(ptr %row.at, ptr %arguments, ptr %items, ptr %words)
  %unfit = icmp slt i64 %axis, 0
  br i1 %unfit, label %slow, label %row.good
row.good:
  %longest.next = call i64 @llvm.smax.i64(i64 %longest, i64 %axis)
  %r.next = add i64 %r, 1
  br label %row

run:
  %mode = load i64, ptr %mode.at
  %writes.mode = and i64 %mode, 8
  %writes = icmp ne i64 %writes.mode, 0
  br i1 %writes, label %run.apart, label %run.ready
run.apart:
  %apart = call i1 @egc_apart(ptr %first, i64 %rows, ptr %arguments, ptr %items)
  br i1 %apart, label %run.ready, label %slow
run.ready:
  %adapter = load ptr, ptr %adapter.at
  %held = load i64, ptr %held.at
  %short = icmp slt i64 %longest, %held
  br i1 %short, label %run.held, label %run.released
run.held:
  %status.held = call i32 %adapter(ptr %words, ptr %results, ptr %failure)
  br label %ran
run.released:
  %thread = call ptr @PyEval_SaveThread()
  %status.released = call i32 %adapter(ptr %words, ptr %results, ptr %failure)
  call void @PyEval_RestoreThread(ptr %thread)
  br label %ran
ran:
  %status = phi i32 [ %status.held, %run.held ], [ %status.released, %run.released ]
  %good = icmp eq i32 %status, 0
  br i1 %good, label %box, label %failed
failed:
  %raised = load ptr, ptr %failure
  %raises = and i64 %mode, 1
  %propagates = icmp ne i64 %raises, 0
  %described = icmp sgt i32 %status, 0
  br i1 %propagates, label %raising, label %kept
kept:
  %stores.mode = and i64 %mode, 4
  %stores = icmp ne i64 %stores.mode, 0
  %checked.constant = xor i1 %stores, true
  %quick = and i1 %described, %checked.constant
  br i1 %quick, label %kept.constant, label %raising
kept.constant:
  %made.at = getelementptr i8, ptr %raised, i64 MADE_AT
  %made.here = load i32, ptr %made.at
  %constant = icmp eq i32 %made.here, 0
  br i1 %constant, label %slow, label %raising
raising:
  %raise = load ptr, ptr %raise.at
  call void %raise(i32 %status, ptr %raised)
  br i1 %propagates, label %nothing, label %forget
forget:
  %stores.too = and i64 %mode, 4
  %may.be.torn = icmp ne i64 %stores.too, 0
  br i1 %may.be.torn, label %torn, label %clear.it
torn:
  %matches = call i32 @PyErr_ExceptionMatches(ptr inttoptr (i64 NO_MEMORY to ptr))
  %no.memory = icmp ne i32 %matches, 0
  br i1 %no.memory, label %nothing, label %clear.it
clear.it:
  call void @PyErr_Clear()
  br label %slow

box:
  %k = phi i64 [ 0, %ran ], [ %k.next, %box.good ]
  %all = icmp eq i64 %k, %outputs
  br i1 %all, label %pack, label %box.one
box.one:
  %output.at = getelementptr %output, ptr %outputs.first, i64 %k
  %made = call ptr @egc_box(ptr %output.at, ptr %items, ptr %results)
  %missing = icmp eq ptr %made, null
  br i1 %missing, label %drop, label %box.good
box.good:
  %boxed.at = getelementptr ptr, ptr %boxed, i64 %k
  store ptr %made, ptr %boxed.at
  %k.next = add i64 %k, 1
  br label %box

drop:
  %d = phi i64 [ 0, %box.one ], [ %d.next, %drop.next ]
  %dropped = icmp eq i64 %d, %outputs
  br i1 %dropped, label %nothing, label %drop.one
drop.one:
  %done = icmp slt i64 %d, %k
  br i1 %done, label %drop.boxed, label %drop.raw
drop.boxed:
  %drop.at = getelementptr ptr, ptr %boxed, i64 %d
  %drop.object = load ptr, ptr %drop.at
  call void @Py_DecRef(ptr %drop.object)
  br label %drop.next
drop.raw:
  %raw.at = getelementptr %output, ptr %outputs.first, i64 %d
  call void @egc_drop(ptr %raw.at, ptr %results)
  br label %drop.next
drop.next:
  %d.next = add i64 %d, 1
  br label %drop

pack:
  %tuple.mode = and i64 %mode, 2
  %plain = icmp eq i64 %tuple.mode, 0
  %single = icmp eq i64 %outputs, 1
  %alone = and i1 %plain, %single
  br i1 %alone, label %pack.one, label %pack.many
pack.one:
  %only = load ptr, ptr %boxed
  br label %packed
pack.many:
  %tuple = call ptr @PyTuple_New(i64 %outputs)
  %no.tuple = icmp eq ptr %tuple, null
  br i1 %no.tuple, label %drop.all, label %fill
drop.all:
  br label %lose
lose:
  %l = phi i64 [ 0, %drop.all ], [ %l.next, %lose.one ]
  %lost = icmp eq i64 %l, %outputs
  br i1 %lost, label %nothing, label %lose.one
lose.one:
  %lose.at = getelementptr ptr, ptr %boxed, i64 %l
  %lose.object = load ptr, ptr %lose.at
  call void @Py_DecRef(ptr %lose.object)
  %l.next = add i64 %l, 1
  br label %lose
fill:
  %tuple.items = getelementptr i8, ptr %tuple, i64 ITEMS_AT
  %outputs.bytes = mul i64 %outputs, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %tuple.items, ptr %boxed, i64 %outputs.bytes, i1 false)
  br label %packed
packed:
  %found = phi ptr [ %only, %pack.one ], [ %tuple, %fill ]
  %finish.at = getelementptr ptr, ptr %items, i64 2
  %finish = load ptr, ptr %finish.at
  %as.found = icmp eq ptr %finish, inttoptr (i64 NONE to ptr)
  br i1 %as.found, label %return, label %finishing
return:
  ret ptr %found

finishing:
  %passed.count = add i64 %needed, 1
  %passed = alloca ptr, i64 %passed.count
  store ptr %found, ptr %passed
  %passed.rest = getelementptr ptr, ptr %passed, i64 1
  %needed.bytes = mul i64 %needed, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %passed.rest, ptr %arguments, i64 %needed.bytes, i1 false)
  %finished = call ptr @PyObject_Vectorcall(ptr %finish, ptr %passed, i64 %passed.count, ptr null)
  call void @Py_DecRef(ptr %found)
  %refused = icmp eq ptr %finished, inttoptr (i64 NOT_IMPLEMENTED to ptr)
  br i1 %refused, label %refuse, label %finish.return
finish.return:
  ret ptr %finished
refuse:
  call void @Py_DecRef(ptr %finished)
  br label %slow

slow:
  %slow.at = getelementptr ptr, ptr %items, i64 1
  %slow.way = load ptr, ptr %slow.at
  %answer = call ptr @PyObject_Vectorcall(ptr %slow.way, ptr %given, i64 %count, ptr %keywords)
  ret ptr %answer
nothing:
  ret ptr null
}

; Puts arguments given by name in their places. Names in calls are interned: others are left to the slow way.
define internal i1 @egc_spread(ptr %given, i64 %count, ptr %keywords, ptr %names, ptr %spread, i64 %needed) {
entry:
  %length.at = getelementptr i8, ptr %keywords, i64 LENGTH_AT
  %length = load i64, ptr %length.at
  %total = add i64 %count, %length
  %complete = icmp eq i64 %total, %needed
  br i1 %complete, label %copy, label %unfit
copy:
  %bytes = mul i64 %count, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %spread, ptr %given, i64 %bytes, i1 false)
  %keys = getelementptr i8, ptr %keywords, i64 ITEMS_AT
  %known = getelementptr i8, ptr %names, i64 ITEMS_AT
  br label %clear
clear:
  %c = phi i64 [ %count, %copy ], [ %c.next, %clear.one ]
  %cleared = icmp eq i64 %c, %needed
  br i1 %cleared, label %each, label %clear.one
clear.one:
  %clear.at = getelementptr ptr, ptr %spread, i64 %c
  store ptr null, ptr %clear.at
  %c.next = add i64 %c, 1
  br label %clear
each:
  %k = phi i64 [ 0, %clear ], [ %k.next, %place ]
  %done = icmp eq i64 %k, %length
  br i1 %done, label %fit, label %find
find:
  %key.at = getelementptr ptr, ptr %keys, i64 %k
  %key = load ptr, ptr %key.at
  br label %look
look:
  %p = phi i64 [ %count, %find ], [ %p.next, %other ]
  %beyond = icmp eq i64 %p, %needed
  br i1 %beyond, label %unfit, label %compare
compare:
  %name.at = getelementptr ptr, ptr %known, i64 %p
  %name = load ptr, ptr %name.at
  %same = icmp eq ptr %name, %key
  br i1 %same, label %found, label %other
other:
  %p.next = add i64 %p, 1
  br label %look
found:
  %place.at = getelementptr ptr, ptr %spread, i64 %p
  %before = load ptr, ptr %place.at
  %free = icmp eq ptr %before, null
  br i1 %free, label %place, label %unfit
place:
  %value.place = add i64 %count, %k
  %value.at = getelementptr ptr, ptr %given, i64 %value.place
  %value = load ptr, ptr %value.at
  store ptr %value, ptr %place.at
  %k.next = add i64 %k, 1
  br label %each
fit:
  ret i1 true
unfit:
  ret i1 false
}

; Whether a global (a dict and a name), or what a function reads (None and the function), is the object that it was.
define internal i1 @egc_guard(ptr %guard) {
entry:
  %namespace = load ptr, ptr %guard
  %name.at = getelementptr ptr, ptr %guard, i64 1
  %name = load ptr, ptr %name.at
  %value.at = getelementptr ptr, ptr %guard, i64 2
  %value = load ptr, ptr %value.at
  %reads = icmp eq ptr %namespace, inttoptr (i64 NONE to ptr)
  br i1 %reads, label %read, label %get
get:
  %got = call ptr @PyDict_GetItemWithError(ptr %namespace, ptr %name)
  %absent = icmp eq ptr %got, null
  br i1 %absent, label %clear, label %compare
read:
  %read.value = call ptr @PyObject_CallNoArgs(ptr %name)
  %failed = icmp eq ptr %read.value, null
  br i1 %failed, label %clear, label %drop
drop:
  call void @Py_DecRef(ptr %read.value)
  br label %compare
compare:
  %now = phi ptr [ %got, %get ], [ %read.value, %drop ]
  %same = icmp eq ptr %now, %value
  ret i1 %same
clear:
  call void @PyErr_Clear()
  ret i1 false
}

; Whether no array that is written shares memory with another one: the bytes from the first to the last of their elements.
define internal i1 @egc_apart(ptr %rows, i64 %count, ptr %arguments, ptr %items) {
entry:
  br label %each
each:
  %k = phi i64 [ 0, %entry ], [ %k.next, %each.next ]
  %done = icmp eq i64 %k, %count
  br i1 %done, label %fine, label %each.check
each.check:
  %row = getelementptr %row, ptr %rows, i64 %k
  %written.at = getelementptr %row, ptr %row, i32 0, i32 WRITTEN_FIELD
  %written = load i64, ptr %written.at
  %is.written = icmp ne i64 %written, 0
  br i1 %is.written, label %others, label %each.next
others:
  %bounds = call { i64, i64 } @egc_extent(ptr %row, ptr %arguments, ptr %items)
  %low = extractvalue { i64, i64 } %bounds, 0
  %high = extractvalue { i64, i64 } %bounds, 1
  br label %other
other:
  %o = phi i64 [ 0, %others ], [ %o.next, %other.next ]
  %compared = icmp eq i64 %o, %count
  br i1 %compared, label %each.next, label %other.check
other.check:
  %other.row = getelementptr %row, ptr %rows, i64 %o
  %itself = icmp eq i64 %o, %k
  %other.kind = load i64, ptr %other.row
  %no.array = icmp ne i64 %other.kind, 0
  %skipped = or i1 %itself, %no.array
  br i1 %skipped, label %other.next, label %compare
compare:
  %other.bounds = call { i64, i64 } @egc_extent(ptr %other.row, ptr %arguments, ptr %items)
  %other.low = extractvalue { i64, i64 } %other.bounds, 0
  %other.high = extractvalue { i64, i64 } %other.bounds, 1
  %below = icmp ult i64 %low, %other.high
  %above = icmp ult i64 %other.low, %high
  %meet = and i1 %below, %above
  br i1 %meet, label %unfit, label %other.next
other.next:
  %o.next = add i64 %o, 1
  br label %other
each.next:
  %k.next = add i64 %k, 1
  br label %each
fine:
  ret i1 true
unfit:
  ret i1 false
}

; The first byte of an array's elements and the one behind the last; twice the same where it has none.
define internal { i64, i64 } @egc_extent(ptr %row, ptr %arguments, ptr %items) {
entry:
  ROW_FIELDS
  %source = load i64, ptr %source.at
  %own = icmp slt i64 %source, 0
  %item = sub i64 0, %source
  %from = select i1 %own, ptr %items, ptr %arguments
  %index = select i1 %own, i64 %item, i64 %source
  %x.at = getelementptr ptr, ptr %from, i64 %index
  %x = load ptr, ptr %x.at
  %data.at = getelementptr i8, ptr %x, i64 DATA_AT
  %data = load i64, ptr %data.at
  %lengths.at = getelementptr i8, ptr %x, i64 LENGTHS_AT
  %lengths = load ptr, ptr %lengths.at
  %strides.at = getelementptr i8, ptr %x, i64 STRIDES_AT
  %strides = load ptr, ptr %strides.at
  %rank = load i64, ptr %rank.at
  %itemsize = load i64, ptr %itemsize.at
  %last = add i64 %data, %itemsize
  br label %axis
axis:
  %a = phi i64 [ 0, %entry ], [ %a.next, %axis.some ]
  %low = phi i64 [ %data, %entry ], [ %low.next, %axis.some ]
  %high = phi i64 [ %last, %entry ], [ %high.next, %axis.some ]
  %over = icmp eq i64 %a, %rank
  br i1 %over, label %found, label %axis.one
axis.one:
  %length.at = getelementptr i64, ptr %lengths, i64 %a
  %length = load i64, ptr %length.at
  %empty = icmp eq i64 %length, 0
  br i1 %empty, label %nothing, label %axis.some
axis.some:
  %stride.at = getelementptr i64, ptr %strides, i64 %a
  %stride = load i64, ptr %stride.at
  %steps = sub i64 %length, 1
  %way = mul i64 %steps, %stride
  %down = call i64 @llvm.smin.i64(i64 %way, i64 0)
  %up = call i64 @llvm.smax.i64(i64 %way, i64 0)
  %low.next = add i64 %low, %down
  %high.next = add i64 %high, %up
  %a.next = add i64 %a, 1
  br label %axis
found:
  %first.found = insertvalue { i64, i64 } undef, i64 %low, 0
  %both.found = insertvalue { i64, i64 } %first.found, i64 %high, 1
  ret { i64, i64 } %both.found
nothing:
  ret { i64, i64 } zeroinitializer
}
"""
