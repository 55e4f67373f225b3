(module
 (type $0 (func (param i32 i32 i32 i32 i32 i32)))
 (import "env" "memory" (memory $memory 1 65536))
 (export "copy" (func $copy))
 (func $copy (param $items.begin i32) (param $items.end i32) (param $scratch.at i32) (param $x0 i32) (param $y i32) (param $N i32)
  (local $item.at i32)
  (local $block i32)
  (local $start i32)
  (local $v.to i32)
  (local $v i32)
  (local $i i32)
  (local $temp.1 i32)
  (local $x v128)
  (local $temp.2 i32)
  (local $temp.3 i32)
  (local $e.to i32)
  (local $e i32)
  (local $x0.at.4 i32)
  (local $x1 f32)
  (local $y.at.5 i32)
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
     (local.set $block
      (local.get $item.at)
     )
     (local.set $start
      (i32.mul
       (local.get $block)
       (i32.const 256)
      )
     )
     (local.set $v.to
      (i32.const 64)
     )
     (local.set $v
      (i32.const 0)
     )
     (if
      (i32.lt_s
       (local.get $v)
       (local.get $v.to)
      )
      (then
       (loop $v.next
        (local.set $i
         (i32.add
          (local.get $start)
          (i32.mul
           (local.get $v)
           (i32.const 4)
          )
         )
        )
        (if
         (i32.le_s
          (i32.add
           (local.get $i)
           (i32.const 4)
          )
          (local.get $N)
         )
         (then
          (local.set $temp.1
           (i32.add
            (local.get $x0)
            (i32.shl
             (local.get $i)
             (i32.const 2)
            )
           )
          )
          (local.set $x
           (v128.load align=4
            (local.get $temp.1)
           )
          )
          (local.set $temp.2
           (i32.add
            (local.get $y)
            (i32.shl
             (local.get $i)
             (i32.const 2)
            )
           )
          )
          (v128.store align=4
           (local.get $temp.2)
           (local.get $x)
          )
         )
        )
        (if
         (i32.lt_s
          (local.get $N)
          (i32.add
           (local.get $i)
           (i32.const 4)
          )
         )
         (then
          (local.set $temp.3
           (i32.add
            (local.get $i)
            (i32.const 4)
           )
          )
          (local.set $e.to
           (select
            (local.get $temp.3)
            (local.get $N)
            (i32.lt_s
             (local.get $temp.3)
             (local.get $N)
            )
           )
          )
          (local.set $e
           (local.get $i)
          )
          (local.set $x0.at.4
           (i32.add
            (local.get $x0)
            (i32.shl
             (local.get $i)
             (i32.const 2)
            )
           )
          )
          (local.set $y.at.5
           (i32.add
            (local.get $y)
            (i32.shl
             (local.get $i)
             (i32.const 2)
            )
           )
          )
          (if
           (i32.lt_s
            (local.get $e)
            (local.get $e.to)
           )
           (then
            (loop $e.next
             (local.set $x1
              (f32.load
               (local.get $x0.at.4)
              )
             )
             (f32.store
              (local.get $y.at.5)
              (local.get $x1)
             )
             (local.set $x0.at.4
              (i32.add
               (local.get $x0.at.4)
               (i32.const 4)
              )
             )
             (local.set $y.at.5
              (i32.add
               (local.get $y.at.5)
               (i32.const 4)
              )
             )
             (local.set $e
              (i32.add
               (local.get $e)
               (i32.const 1)
              )
             )
             (br_if $e.next
              (i32.gt_u
               (i32.add
                (i32.sub
                 (local.get $e.to)
                 (local.get $e)
                )
                (i32.const 1)
               )
               (i32.const 1)
              )
             )
            )
           )
          )
         )
        )
        (local.set $v
         (i32.add
          (local.get $v)
          (i32.const 1)
         )
        )
        (br_if $v.next
         (i32.lt_u
          (local.get $v)
          (local.get $v.to)
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
