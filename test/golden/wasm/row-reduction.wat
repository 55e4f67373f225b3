(module
 (type $0 (func (param i32 i32 i32 i32 i32 i32 i32 i32)))
 (import "env" "memory" (memory $memory 1 65536))
 (export "rms_norm" (func $rms_norm))
 (func $rms_norm (param $items.begin i32) (param $items.end i32) (param $scratch.at i32) (param $x i32) (param $g i32) (param $y i32) (param $T i32) (param $D i32)
  (local $item.at i32)
  (local $t i32)
  (local $row i32)
  (local $acc:0 v128)
  (local $acc:1 v128)
  (local $acc:2 v128)
  (local $acc:3 v128)
  (local $d.to i32)
  (local $d i32)
  (local $x.at.1 i32)
  (local $total:0 v128)
  (local $temp.2 v128)
  (local $all_sum f32)
  (local $fixed v128)
  (local $d1.to i32)
  (local $d1 i32)
  (local $y.at.3 i32)
  (local $x.at.4 i32)
  (local $g.at.5 i32)
  (local.set $item.at
   (local.get $items.begin)
  )
  (if
   (i32.lt_u
    (local.get $item.at)
    (local.get $items.end)
   )
   (then
    (loop $items.next
     (local.set $t
      (local.get $item.at)
     )
     (local.set $row
      (i32.mul
       (local.get $t)
       (local.get $D)
      )
     )
     (local.set $acc:0
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)
     )
     (local.set $acc:1
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)
     )
     (local.set $acc:2
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)
     )
     (local.set $acc:3
      (v128.const i32x4 0x00000000 0x00000000 0x00000000 0x00000000)
     )
     (local.set $d.to
      (local.get $D)
     )
     (local.set $d
      (i32.const 0)
     )
     (local.set $x.at.1
      (i32.add
       (local.get $x)
       (i32.shl
        (local.get $row)
        (i32.const 2)
       )
      )
     )
     (if
      (i32.lt_s
       (local.get $d)
       (local.get $d.to)
      )
      (then
       (loop $d.next
        (local.set $acc:0
         (f32x4.add
          (local.get $acc:0)
          (f32x4.mul
           (v128.load align=4
            (local.get $x.at.1)
           )
           (v128.load align=4
            (local.get $x.at.1)
           )
          )
         )
        )
        (local.set $acc:1
         (f32x4.add
          (local.get $acc:1)
          (f32x4.mul
           (v128.load offset=16 align=4
            (local.get $x.at.1)
           )
           (v128.load offset=16 align=4
            (local.get $x.at.1)
           )
          )
         )
        )
        (local.set $acc:2
         (f32x4.add
          (local.get $acc:2)
          (f32x4.mul
           (v128.load offset=32 align=4
            (local.get $x.at.1)
           )
           (v128.load offset=32 align=4
            (local.get $x.at.1)
           )
          )
         )
        )
        (local.set $acc:3
         (f32x4.add
          (local.get $acc:3)
          (f32x4.mul
           (v128.load offset=48 align=4
            (local.get $x.at.1)
           )
           (v128.load offset=48 align=4
            (local.get $x.at.1)
           )
          )
         )
        )
        (local.set $x.at.1
         (i32.add
          (local.get $x.at.1)
          (i32.const 64)
         )
        )
        (local.set $d
         (i32.add
          (local.get $d)
          (i32.const 16)
         )
        )
        (br_if $d.next
         (i32.lt_u
          (local.get $d)
          (local.get $d.to)
         )
        )
       )
      )
     )
     (local.set $total:0
      (local.get $acc:0)
     )
     (local.set $total:0
      (f32x4.add
       (local.get $total:0)
       (local.get $acc:1)
      )
     )
     (local.set $total:0
      (f32x4.add
       (local.get $total:0)
       (local.get $acc:2)
      )
     )
     (local.set $total:0
      (f32x4.add
       (local.get $total:0)
       (local.get $acc:3)
      )
     )
     (local.set $temp.2
      (f32x4.add
       (local.get $total:0)
       (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
        (local.get $total:0)
        (local.get $total:0)
       )
      )
     )
     (local.set $all_sum
      (f32x4.extract_lane 0
       (f32x4.add
        (local.get $temp.2)
        (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3
         (local.get $temp.2)
         (local.get $temp.2)
        )
       )
      )
     )
     (local.set $fixed
      (f32x4.div
       (f32x4.splat
        (f32.const 1)
       )
       (f32x4.sqrt
        (f32x4.add
         (f32x4.div
          (f32x4.splat
           (local.get $all_sum)
          )
          (f32x4.splat
           (f32.convert_i32_s
            (local.get $D)
           )
          )
         )
         (v128.const i32x4 0x358637bd 0x358637bd 0x358637bd 0x358637bd)
        )
       )
      )
     )
     (local.set $d1.to
      (local.get $D)
     )
     (local.set $d1
      (i32.const 0)
     )
     (local.set $y.at.3
      (i32.add
       (local.get $y)
       (i32.shl
        (local.get $row)
        (i32.const 2)
       )
      )
     )
     (local.set $x.at.4
      (i32.add
       (local.get $x)
       (i32.shl
        (local.get $row)
        (i32.const 2)
       )
      )
     )
     (local.set $g.at.5
      (i32.add
       (local.get $g)
       (i32.shl
        (i32.const 0)
        (i32.const 2)
       )
      )
     )
     (if
      (i32.lt_s
       (local.get $d1)
       (local.get $d1.to)
      )
      (then
       (loop $d1.next
        (v128.store align=4
         (local.get $y.at.3)
         (f32x4.mul
          (f32x4.mul
           (v128.load align=4
            (local.get $x.at.4)
           )
           (local.get $fixed)
          )
          (v128.load align=4
           (local.get $g.at.5)
          )
         )
        )
        (local.set $y.at.3
         (i32.add
          (local.get $y.at.3)
          (i32.const 16)
         )
        )
        (local.set $x.at.4
         (i32.add
          (local.get $x.at.4)
          (i32.const 16)
         )
        )
        (local.set $g.at.5
         (i32.add
          (local.get $g.at.5)
          (i32.const 16)
         )
        )
        (local.set $d1
         (i32.add
          (local.get $d1)
          (i32.const 4)
         )
        )
        (br_if $d1.next
         (i32.lt_u
          (local.get $d1)
          (local.get $d1.to)
         )
        )
       )
      )
     )
     (local.set $item.at
      (i32.add
       (local.get $item.at)
       (i32.const 1)
      )
     )
     (br_if $items.next
      (i32.lt_u
       (local.get $item.at)
       (local.get $items.end)
      )
     )
    )
   )
  )
 )
)
