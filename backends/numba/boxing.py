"""Reading arguments and making results, in LLVM's language; `entry` fills in the words in capitals and compiles it."""

BOXING = """
; Writes an argument where the adapter reads it. Gives its longest axis, or -1 where it does not fit.
define internal i64 @egc_argument(ptr %row, ptr %arguments, ptr %items, ptr %words) {
entry:
  ROW_FIELDS
  %kind = load i64, ptr %kind.at
  %source = load i64, ptr %source.at
  %own = icmp slt i64 %source, 0
  %item = sub i64 0, %source
  %from = select i1 %own, ptr %items, ptr %arguments
  %index = select i1 %own, i64 %item, i64 %source
  %x.at = getelementptr ptr, ptr %from, i64 %index
  %x = load ptr, ptr %x.at
  %object = load i64, ptr %object.at
  %wanted.at = getelementptr ptr, ptr %items, i64 %object
  %wanted = load ptr, ptr %wanted.at
  %place = load i64, ptr %place.at
  %to = getelementptr i64, ptr %words, i64 %place
  %type.at = getelementptr i8, ptr %x, i64 TYPE_AT
  %type = load ptr, ptr %type.at
  %itemsize = load i64, ptr %itemsize.at
  switch i64 %kind, label %fixed [ i64 0, label %array  i64 1, label %value  i64 2, label %integer ]

array:
  %is.array = icmp eq ptr %type, inttoptr (i64 NDARRAY to ptr)
  br i1 %is.array, label %array.dtype, label %unfit
array.dtype:
  %descr.at = getelementptr i8, ptr %x, i64 DESCR_AT
  %descr = load ptr, ptr %descr.at
  %dtype.fits = icmp eq ptr %descr, %wanted
  %rank.here.at = getelementptr i8, ptr %x, i64 RANK_AT
  %rank.here = load i32, ptr %rank.here.at
  %rank = load i64, ptr %rank.at
  %rank.short = trunc i64 %rank to i32
  %rank.fits = icmp eq i32 %rank.here, %rank.short
  %flags.here.at = getelementptr i8, ptr %x, i64 FLAGS_AT
  %flags.here = load i32, ptr %flags.here.at
  %flags.long = load i64, ptr %flags.at
  %flags = trunc i64 %flags.long to i32
  %mask.long = load i64, ptr %mask.at
  %mask = trunc i64 %mask.long to i32
  %flags.set = and i32 %flags.here, %mask
  %flags.fit = icmp eq i32 %flags.set, %flags
  %both = and i1 %dtype.fits, %rank.fits
  %fits = and i1 %both, %flags.fit
  br i1 %fits, label %array.read, label %unfit
array.read:
  %data.at = getelementptr i8, ptr %x, i64 DATA_AT
  %data = load ptr, ptr %data.at
  %lengths.at = getelementptr i8, ptr %x, i64 LENGTHS_AT
  %lengths = load ptr, ptr %lengths.at
  %strides.at = getelementptr i8, ptr %x, i64 STRIDES_AT
  %strides = load ptr, ptr %strides.at
  %zero = icmp eq i64 %rank, 0
  br i1 %zero, label %array.zero, label %array.words
array.zero:
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %data, i64 %itemsize, i1 false)
  ret i64 0
array.words:
  store i64 0, ptr %to
  %parent.at = getelementptr i64, ptr %to, i64 1
  store i64 0, ptr %parent.at
  %items.at = getelementptr i64, ptr %to, i64 2
  %itemsize.to = getelementptr i64, ptr %to, i64 3
  store i64 %itemsize, ptr %itemsize.to
  %data.to = getelementptr i64, ptr %to, i64 4
  store ptr %data, ptr %data.to
  %lengths.to = getelementptr i64, ptr %to, i64 5
  %strides.to = getelementptr i64, ptr %lengths.to, i64 %rank
  br label %axis
axis:
  %a = phi i64 [ 0, %array.words ], [ %a.next, %axis.one ]
  %size = phi i64 [ 1, %array.words ], [ %size.next, %axis.one ]
  %longest = phi i64 [ 0, %array.words ], [ %longest.next, %axis.one ]
  %bits = phi i64 [ 0, %array.words ], [ %bits.next, %axis.one ]
  %over = icmp eq i64 %a, %rank
  br i1 %over, label %sized, label %axis.one
axis.one:
  %length.from = getelementptr i64, ptr %lengths, i64 %a
  %length = load i64, ptr %length.from
  %length.to = getelementptr i64, ptr %lengths.to, i64 %a
  store i64 %length, ptr %length.to
  %stride.from = getelementptr i64, ptr %strides, i64 %a
  %stride = load i64, ptr %stride.from
  %stride.to = getelementptr i64, ptr %strides.to, i64 %a
  store i64 %stride, ptr %stride.to
  %bits.next = or i64 %bits, %stride
  %size.next = mul i64 %size, %length
  %longest.next = call i64 @llvm.smax.i64(i64 %longest, i64 %length)
  %a.next = add i64 %a, 1
  br label %axis
sized:
  store i64 %size, ptr %items.at
  %least = load i64, ptr %least.at
  %most = load i64, ptr %most.at
  %enough = icmp sge i64 %size, %least
  %small = icmp slt i64 %size, %most
  %within = and i1 %enough, %small
  %answer = select i1 %within, i64 %longest, i64 -1
  %order = load i64, ptr %order.at
  %dense = load i64, ptr %dense.at
  br label %near
near:
  %d = phi i64 [ 0, %sized ], [ %d.next, %near.good ]
  %step = phi i64 [ %itemsize, %sized ], [ %step.next, %near.good ]
  %all.near = icmp eq i64 %d, %dense
  br i1 %all.near, label %steps, label %near.one
near.one:
  %bit = shl i64 %d, 2
  %order.from = lshr i64 %order, %bit
  %along = and i64 %order.from, 15
  %length.along.at = getelementptr i64, ptr %lengths, i64 %along
  %length.along = load i64, ptr %length.along.at
  %stride.along.at = getelementptr i64, ptr %strides, i64 %along
  %stride.along = load i64, ptr %stride.along.at
  %is.step = icmp eq i64 %stride.along, %step
  %is.one = icmp eq i64 %length.along, 1
  %is.near = or i1 %is.step, %is.one
  br i1 %is.near, label %near.good, label %unfit
near.good:
  %length.some = call i64 @llvm.smax.i64(i64 %length.along, i64 1)
  %step.next = mul i64 %step, %length.some
  %d.next = add i64 %d, 1
  br label %near
steps:
  %last = and i64 %order, 15
  %stride.last.at = getelementptr i64, ptr %strides, i64 %last
  %stride.last = load i64, ptr %stride.last.at
  %unlike = load i64, ptr %unlike.at
  %is.unlike = icmp ne i64 %stride.last, %unlike
  %below = sub i64 %itemsize, 1
  %bits.below = and i64 %bits, %below
  %is.odd = icmp ne i64 %bits.below, 0
  %odd.here = zext i1 %is.odd to i64
  %odd = load i64, ptr %odd.at
  %either = icmp eq i64 %odd, 2
  %odd.equal = icmp eq i64 %odd.here, %odd
  %odd.fits = or i1 %either, %odd.equal
  %steps.fit = and i1 %is.unlike, %odd.fits
  br i1 %steps.fit, label %measured, label %unfit
measured:
  ret i64 %answer

value:
  %type.fits = icmp eq ptr %type, %wanted
  br i1 %type.fits, label %value.read, label %unfit
value.read:
  %bytes = getelementptr i8, ptr %x, i64 HEAD
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %bytes, i64 %itemsize, i1 false)
  ret i64 0

integer:
  %overflow = alloca i32
  %is.int = icmp eq ptr %type, %wanted
  br i1 %is.int, label %integer.read, label %unfit
integer.read:
  %number = call i64 @PyLong_AsLongLongAndOverflow(ptr %x, ptr %overflow)
  %beyond = load i32, ptr %overflow
  %in.range = icmp eq i32 %beyond, 0
  br i1 %in.range, label %integer.good, label %unfit
integer.good:
  store i64 %number, ptr %to
  %length.given = call i64 @llvm.smax.i64(i64 %number, i64 0)
  ret i64 %length.given

fixed:
  %same = icmp eq ptr %x, %wanted
  %fixed.answer = select i1 %same, i64 0, i64 -1
  ret i64 %fixed.answer
unfit:
  ret i64 -1
}

; An output as a Python object; null with an exception set where there is no memory.
define internal ptr @egc_box(ptr %output, ptr %items, ptr %results) {
entry:
  OUTPUT_FIELDS
  %kind = load i64, ptr %kind.at
  %object = load i64, ptr %object.at
  %dtype.at = getelementptr ptr, ptr %items, i64 %object
  %dtype = load ptr, ptr %dtype.at
  %place = load i64, ptr %place.at
  %from = getelementptr i64, ptr %results, i64 %place
  %itemsize = load i64, ptr %itemsize.at
  switch i64 %kind, label %array [
    i64 1, label %zero  i64 2, label %scalar  i64 3, label %float  i64 4, label %int  i64 5,
    label %bool  i64 6, label %complex
  ]
zero:
  call void @Py_IncRef(ptr %dtype)
  %zero.made = call ptr @egc_NewFromDescr(ptr inttoptr (i64 NDARRAY to ptr), ptr %dtype, i32 0,
    ptr null, ptr null, ptr null, i32 0, ptr null)
  %zero.failed = icmp eq ptr %zero.made, null
  br i1 %zero.failed, label %nothing, label %zero.fill
zero.fill:
  %zero.data.at = getelementptr i8, ptr %zero.made, i64 DATA_AT
  %zero.data = load ptr, ptr %zero.data.at
  call void @llvm.memcpy.p0.p0.i64(ptr %zero.data, ptr %from, i64 %itemsize, i1 false)
  ret ptr %zero.made
scalar:
  %scalar.made = call ptr @egc_Scalar(ptr %from, ptr %dtype, ptr null)
  ret ptr %scalar.made
float:
  %float.value = load double, ptr %from
  %float.made = call ptr @PyFloat_FromDouble(double %float.value)
  ret ptr %float.made
int:
  %int.value = load i64, ptr %from
  %int.made = call ptr @PyLong_FromLongLong(i64 %int.value)
  ret ptr %int.made
bool:
  %bool.value = load i8, ptr %from
  %bool.long = zext i8 %bool.value to i64
  %bool.made = call ptr @PyBool_FromLong(i64 %bool.long)
  ret ptr %bool.made
complex:
  %real = load double, ptr %from
  %imaginary.at = getelementptr double, ptr %from, i64 1
  %imaginary = load double, ptr %imaginary.at
  %complex.made = call ptr @PyComplex_FromDoubles(double %real, double %imaginary)
  ret ptr %complex.made

array:
  %owner = load ptr, ptr %from
  %size.at = getelementptr i64, ptr %from, i64 2
  %size = load i64, ptr %size.at
  %bytes = mul i64 %size, %itemsize
  %data.at = getelementptr i64, ptr %from, i64 4
  %data = load ptr, ptr %data.at
  %lengths = getelementptr i64, ptr %from, i64 5
  %rank = load i64, ptr %rank.at
  %rank.short = trunc i64 %rank to i32
  %strides = getelementptr i64, ptr %lengths, i64 %rank
  %ordered.long = load i64, ptr %ordered.at
  %ordered = icmp ne i64 %ordered.long, 0
  %unowned = icmp eq ptr %owner, null
  %small = icmp sle i64 %bytes, COPIED
  %copied = or i1 %unowned, %small
  call void @Py_IncRef(ptr %dtype)
  br i1 %copied, label %copy, label %wrap
copy:
  br i1 %ordered, label %copy.plain, label %copy.any
copy.plain:
  %plain = call ptr @egc_NewFromDescr(ptr inttoptr (i64 NDARRAY to ptr), ptr %dtype,
    i32 %rank.short, ptr %lengths, ptr null, ptr null, i32 0, ptr null)
  %plain.failed = icmp eq ptr %plain, null
  br i1 %plain.failed, label %nothing, label %copy.bytes
copy.bytes:
  %plain.data.at = getelementptr i8, ptr %plain, i64 DATA_AT
  %plain.data = load ptr, ptr %plain.data.at
  call void @llvm.memcpy.p0.p0.i64(ptr %plain.data, ptr %data, i64 %bytes, i1 false)
  call void @egc_release_memory(ptr %owner)
  ret ptr %plain
copy.any:
  %view = call ptr @egc_NewFromDescr(ptr inttoptr (i64 NDARRAY to ptr), ptr %dtype,
    i32 %rank.short, ptr %lengths, ptr %strides, ptr %data, i32 0, ptr null)
  %view.failed = icmp eq ptr %view, null
  br i1 %view.failed, label %nothing, label %copy.view
copy.view:
  %any = call ptr @egc_NewCopy(ptr %view, i32 2)
  call void @Py_DecRef(ptr %view)
  %any.failed = icmp eq ptr %any, null
  br i1 %any.failed, label %nothing, label %copy.done
copy.done:
  call void @egc_release_memory(ptr %owner)
  ret ptr %any
wrap:
  %wrapped = call ptr @egc_NewFromDescr(ptr inttoptr (i64 NDARRAY to ptr), ptr %dtype,
    i32 %rank.short, ptr %lengths, ptr %strides, ptr %data, i32 BEHAVED, ptr null)
  %wrap.failed = icmp eq ptr %wrapped, null
  br i1 %wrap.failed, label %nothing, label %own
own:
  %capsule = call ptr @PyCapsule_New(ptr %owner, ptr null, ptr @egc_release_capsule)
  %no.capsule = icmp eq ptr %capsule, null
  br i1 %no.capsule, label %unwrap, label %base
base:
  %base.status = call i32 @egc_SetBaseObject(ptr %wrapped, ptr %capsule)
  ret ptr %wrapped
unwrap:
  call void @Py_DecRef(ptr %wrapped)
  br label %nothing
nothing:
  ret ptr null
}

; Lets go of an output that has no Python object.
define internal void @egc_drop(ptr %output, ptr %results) {
entry:
  OUTPUT_FIELDS
  %kind = load i64, ptr %kind.at
  %is.array = icmp eq i64 %kind, 0
  br i1 %is.array, label %drop, label %end
drop:
  %place = load i64, ptr %place.at
  %from = getelementptr i64, ptr %results, i64 %place
  %owner = load ptr, ptr %from
  call void @egc_release_memory(ptr %owner)
  br label %end
end:
  ret void
}

define internal void @egc_release_capsule(ptr %capsule) {
  %owner = call ptr @PyCapsule_GetPointer(ptr %capsule, ptr null)
  call void @egc_release_memory(ptr %owner)
  ret void
}

; Drops a reference to numba's owner of memory, whose first word counts them.
define internal void @egc_release_memory(ptr %owner) {
entry:
  %none = icmp eq ptr %owner, null
  br i1 %none, label %end, label %drop
drop:
  %before = atomicrmw sub ptr %owner, i64 1 acq_rel
  %last = icmp eq i64 %before, 1
  br i1 %last, label %free, label %end
free:
  call void @egc_end_of_memory(ptr %owner)
  br label %end
end:
  ret void
}
"""
